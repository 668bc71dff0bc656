// Ed25519 signatures by the strict rules. The browser's WebCrypto checks the equation; what it lets pass beyond what
// honest signers make is refused here before it is asked: points of small order, second encodings, s of L and more.

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

const little = (bytes) => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
const modulo = (value) => ((value % P) + P) % P;

function power(base, exponent) {
  let out = 1n;
  for (let b = modulo(base), e = exponent; e > 0n; e >>= 1n, b = modulo(b * b)) if (e & 1n) out = modulo(out * b);
  return out;
}

/** The y of the points whose order divides 8: 0, 1, -1, and the two that a point of order 8 has. */
const SMALL_ORDER_Y = (() => {
  // A point of order 8 doubles to one with y = 0, so that x² = -y²; the curve then gives D y⁴ + 2 y² - 1 = 0.
  const root = squareRoot(modulo(1n + D));
  const square = [modulo(root - 1n), modulo(-root - 1n)].map((n) => modulo(n * power(D, P - 2n)));
  const roots = square.map(squareRoot).filter((y) => y !== null);
  return new Set([0n, 1n, P - 1n, ...roots.flatMap((y) => [y, modulo(-y)])]);
})();

/** A square root modulo P, or null. */
function squareRoot(value) {
  let root = power(value, (P + 3n) / 8n);
  if (modulo(root * root) !== modulo(value)) root = modulo(root * power(2n, (P - 1n) / 4n));
  return modulo(root * root) === modulo(value) ? root : null;
}

/** Whether 32 bytes encode a point of the curve, in its one encoding, whose order is not small. */
export function isHonestPoint(bytes) {
  if (bytes.length !== 32) return false;
  const y = little(bytes) & (2n ** 255n - 1n);
  if (y >= P || SMALL_ORDER_Y.has(y)) return false;
  const numerator = modulo(y * y - 1n);
  const denominator = modulo(D * y * y + 1n);
  return squareRoot(modulo(numerator * power(denominator, P - 2n))) !== null;
}

/** Whether `signature` is that of the key with these 32 bytes over `message`. */
export async function verifyEd25519(publicKey, message, signature) {
  if (signature.length !== 64 || !isHonestPoint(publicKey)) return false;
  if (!isHonestPoint(signature.subarray(0, 32)) || little(signature.subarray(32)) >= L) return false;
  const key = await crypto.subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "Ed25519" }, key, signature, message);
}
