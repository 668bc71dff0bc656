fn main() {
    let _ = regorus::Engine::new();
}
