//! ONNX files made fit for the runtime: block-quantised weights back to `f32`, fixed picture sizes made free.
//!
//! Only what the public schema says is used, so the functions serve any plain feed-forward network, not one model.

use std::collections::{BTreeMap, BTreeSet};

use placet_core::{Digest, Hasher};
use prost::Message;

use crate::onnx::{
    AttributeProto, Dimension, DimensionValue, GraphProto, ModelProto, NodeProto, TensorProto,
    ValueInfoProto, data_type,
};

/// No file larger than this is read: 64 MiB.
pub const MAX_MODEL_BYTES: usize = 64 << 20;

/// No more than this many weights are made, all together: 16 Mi, 64 MiB as `f32`.
const MAX_WEIGHTS: usize = 16 << 20;

/// The operator set the converted file declares.
const OPSET: i64 = 13;

/// Operators that mean the same from operator set 13 to 21 when none of [`LATER_ATTRIBUTES`] is set.
const UNCHANGED: &[&str] = &[
    "Add",
    "BatchNormalization",
    "Concat",
    "Constant",
    "Conv",
    "ConvTranspose",
    "Dropout",
    "Flatten",
    "Gemm",
    "MaxPool",
    "Mul",
    "PRelu",
    "Relu",
    "Reshape",
    "Resize",
    "Sigmoid",
    "Sub",
    "Transpose",
];

/// Attributes that operators of [`UNCHANGED`] gained after operator set 13.
const LATER_ATTRIBUTES: &[&str] =
    &["allowzero", "antialias", "axes", "keep_aspect_ratio_policy", "training_mode"];

/// Why a model file could not be converted.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// Too large to be one of ours.
    #[error("model of {bytes} bytes is larger than {MAX_MODEL_BYTES}")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not the protobuf encoding of an ONNX model.
    #[error("not an ONNX model")]
    Decode(#[source] prost::DecodeError),
    /// A model without a graph.
    #[error("the model holds no graph")]
    NoGraph,
    /// Something these functions do not handle, rather than guess.
    #[error("cannot convert {what} at `{name}`")]
    Unsupported {
        /// What it is.
        what: &'static str,
        /// The node or tensor.
        name: String,
    },
    /// A tensor whose parts contradict each other.
    #[error("tensor `{name}` is malformed: {what}")]
    Tensor {
        /// Its name.
        name: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The weights would exceed what any model of ours holds.
    #[error("the weights of this model would fill more than {MAX_WEIGHTS} values")]
    TooManyWeights,
}

/// Computes every `DequantizeLinear` of constants once and stores its result as an `f32` initializer, together with a
/// `Reshape` of it; declares operator set 13.
///
/// Per-tensor, per-axis and blocked scales are understood, as operator set 21 defines them:
/// `(x - zero_point) * scale`, scale and zero point repeated `block_size` times along `axis`. A scale of one element
/// is per tensor whatever `block_size` says: exporters write that, and runtimes refuse it.
///
/// # Errors
/// Where the bytes are no ONNX model, hold parts that contradict each other, or need something not handled here.
pub fn dequantise(model: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let mut model = decode(model)?;
    let graph = graph_of(&mut model)?;
    fold(graph)?;
    tidy(graph);
    for node in &graph.node {
        stays_the_same(node)?;
    }
    for set in &mut model.opset_import {
        if matches!(set.domain.as_deref(), None | Some("" | "ai.onnx")) {
            set.version = Some(OPSET);
        }
    }
    Ok(model.encode_to_vec())
}

/// Makes the one picture input `[1, C, H, W]` with free `H` and `W`, and forgets the shapes recorded for a fixed size.
///
/// Initializers leave the list of inputs, as the schema has allowed since IR version 4; while they stand there a
/// caller might replace them, and the runtime folds nothing into its convolutions. Unused ones go altogether.
///
/// # Errors
/// Where the bytes are no ONNX model, or it takes anything but one input of four dimensions.
pub fn make_dynamic(model: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let mut model = decode(model)?;
    let graph = graph_of(&mut model)?;
    tidy(graph);
    graph.value_info.clear();
    for output in &mut graph.output {
        let shape =
            output.r#type.as_mut().and_then(|t| t.tensor_type.as_mut()).and_then(|t| t.shape.as_mut());
        shape.into_iter().flat_map(|s| &mut s.dim).for_each(|dim| dim.value = None);
    }
    let [input] = graph.input.as_mut_slice() else {
        return Err(unsupported("other than one input", &graph.name));
    };
    free_height_and_width(input)?;
    model.ir_version = model.ir_version.map(|v| v.max(4));
    Ok(model.encode_to_vec())
}

/// A digest of what a network computes, whatever order or spelling its file has.
///
/// SHA-256 over, each string and byte string preceded by its length as `u64`, all integers little-endian:
/// 1. the number of initializers (`u64`), then for each, sorted by name: name, data type (`i64`), number of dimensions
///    (`u64`), dimensions (`i64` each), data (`f32` or `i64` little-endian) as a byte string;
/// 2. the number of nodes (`u64`), then for each in order: operator domain and type, the lists of inputs and of
///    outputs, each as its length and strings, and the attributes sorted by name, each as its ONNX encoding.
///
/// # Errors
/// Where the bytes are no ONNX model or an initializer is neither `f32` nor `i64`.
pub fn digest(model: &[u8]) -> Result<Digest, ConvertError> {
    let mut model = decode(model)?;
    let graph = graph_of(&mut model)?;
    let mut hash = Fields(Hasher::new());

    let mut weights: Vec<&TensorProto> = graph.initializer.iter().collect();
    weights.sort_by(|a, b| name_of(a).cmp(name_of(b)));
    hash.count(weights.len());
    for tensor in weights {
        hash.bytes(name_of(tensor).as_bytes());
        hash.int(i64::from(tensor.data_type()));
        hash.count(tensor.dims.len());
        tensor.dims.iter().for_each(|d| hash.int(*d));
        hash.bytes(&little_endian(tensor)?);
    }

    hash.count(graph.node.len());
    for node in &graph.node {
        hash.bytes(node.domain().as_bytes());
        hash.bytes(node.op_type().as_bytes());
        for list in [&node.input, &node.output] {
            hash.count(list.len());
            list.iter().for_each(|name| hash.bytes(name.as_bytes()));
        }
        let mut attributes: Vec<&AttributeProto> = node.attribute.iter().collect();
        attributes.sort_by(|a, b| a.name().cmp(b.name()));
        hash.count(attributes.len());
        attributes.iter().for_each(|a| hash.bytes(&a.encode_to_vec()));
    }
    Ok(hash.0.finish())
}

/// A hasher that delimits what it is fed.
struct Fields(Hasher);

impl Fields {
    fn count(&mut self, n: usize) {
        self.0.update(&(n as u64).to_le_bytes());
    }

    fn int(&mut self, n: i64) {
        self.0.update(&n.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.update(bytes);
    }
}

fn decode(bytes: &[u8]) -> Result<ModelProto, ConvertError> {
    if bytes.len() > MAX_MODEL_BYTES {
        return Err(ConvertError::TooLarge { bytes: bytes.len() });
    }
    ModelProto::decode(bytes).map_err(ConvertError::Decode)
}

/// The graph, if these functions see all there is to it.
fn graph_of(model: &mut ModelProto) -> Result<&mut GraphProto, ConvertError> {
    if !model.functions.is_empty() {
        return Err(unsupported("a model with functions of its own", &model.producer_name));
    }
    let graph = model.graph.as_mut().ok_or(ConvertError::NoGraph)?;
    if !graph.sparse_initializer.is_empty() {
        return Err(unsupported("sparse initializers", &graph.name));
    }
    for node in &graph.node {
        if node.attribute.iter().any(|a| a.g.is_some() || !a.graphs.is_empty()) {
            return Err(unsupported("a graph inside a node", &node.name));
        }
    }
    for tensor in &graph.initializer {
        if tensor.data_location() != 0 || !tensor.external_data.is_empty() || tensor.segment.is_some() {
            return Err(unsupported("weights kept in another file", &tensor.name));
        }
    }
    Ok(graph)
}

/// Replaces dequantisations of constants, and reshapes of those, by initializers.
fn fold(graph: &mut GraphProto) -> Result<(), ConvertError> {
    let mut constants: BTreeMap<&str, &TensorProto> =
        graph.initializer.iter().map(|t| (name_of(t), t)).collect();
    for node in graph.node.iter().filter(|n| n.op_type() == "Constant") {
        if let (Some(output), Some(tensor)) =
            (node.output.first(), node.attribute.iter().find_map(|a| a.t.as_ref()))
        {
            constants.insert(output, tensor);
        }
    }

    let mut made: BTreeMap<String, TensorProto> = BTreeMap::new();
    let mut done = vec![false; graph.node.len()];
    let mut total = 0_usize;
    for (node, done) in graph.node.iter().zip(&mut done) {
        let constant =
            |idx: usize| node.input.get(idx).and_then(|name| constants.get(name.as_str()).copied());
        let Some(output) = node.output.first() else { continue };
        let tensor = match node.op_type() {
            "DequantizeLinear" => match (constant(0), constant(1), node.input.len()) {
                (Some(x), Some(scale), 2) => dequantised(node, x, scale, None)?,
                (Some(x), Some(scale), 3) => {
                    let Some(zero) = constant(2) else { continue };
                    dequantised(node, x, scale, Some(zero))?
                }
                _ => continue,
            },
            "Reshape" => {
                let (Some(name), Some(shape)) = (node.input.first(), constant(1)) else { continue };
                let Some(tensor) = made.get(name) else { continue };
                reshaped(tensor, shape)?
            }
            _ => continue,
        };
        total += tensor.raw_data().len() / 4;
        if total > MAX_WEIGHTS {
            return Err(ConvertError::TooManyWeights);
        }
        made.insert(output.clone(), TensorProto { name: Some(output.clone()), ..tensor });
        *done = true;
    }

    let mut done = done.iter();
    graph.node.retain(|_| !done.next().copied().unwrap_or(false));
    graph.initializer.extend(made.into_values());
    Ok(())
}

/// `(x - zero) * scale` as an `f32` tensor of the shape of `x`, not yet named.
fn dequantised(
    node: &NodeProto,
    x: &TensorProto,
    scale: &TensorProto,
    zero: Option<&TensorProto>,
) -> Result<TensorProto, ConvertError> {
    let shape = shape_of(x)?;
    let values = integers(x)?;
    let scales = floats(scale)?;
    let zeros = zero.map(integers).transpose()?.unwrap_or_else(|| vec![0.0; scales.len()]);
    if zeros.len() != scales.len() {
        return Err(malformed(zero.unwrap_or(scale), "as many zero points as scales are needed"));
    }
    let steps = Steps::new(node, &shape, scale)?;

    let mut raw = Vec::with_capacity(values.len() * 4);
    for (idx, value) in values.iter().enumerate() {
        let at = steps.of(idx);
        let (Some(s), Some(z)) = (scales.get(at), zeros.get(at)) else {
            return Err(malformed(scale, "too few scales for the tensor they belong to"));
        };
        raw.extend_from_slice(&((value - z) * s).to_le_bytes());
    }
    Ok(TensorProto {
        dims: x.dims.clone(),
        data_type: Some(data_type::FLOAT),
        raw_data: Some(raw),
        ..TensorProto::default()
    })
}

/// Which scale belongs to which value.
enum Steps {
    /// One scale for all.
    Tensor,
    /// One for each place along an axis of `len` places, `inner` values apart.
    Axis { len: usize, inner: usize },
    /// One for `block` neighbours along that axis; `blocks` of them make up the axis.
    Block { len: usize, inner: usize, block: usize, blocks: usize },
}

impl Steps {
    fn new(node: &NodeProto, shape: &[usize], scale: &TensorProto) -> Result<Self, ConvertError> {
        let scale_shape = shape_of(scale)?;
        if scale_shape.iter().product::<usize>() == 1 {
            return Ok(Self::Tensor);
        }
        let attribute = |name: &str| node.attribute.iter().find(|a| a.name() == name).map(AttributeProto::i);
        let axis = attribute("axis").unwrap_or(1);
        let rank = shape.len() as i64;
        let axis = if axis < 0 { axis.saturating_add(rank) } else { axis };
        let axis = usize::try_from(axis).unwrap_or(usize::MAX);
        let Some(&len) = shape.get(axis) else {
            return Err(unsupported("a dequantisation along an axis that is not there", &node.name));
        };
        // Both are below MAX_WEIGHTS, as `shape_of` checked their product.
        let inner = shape.iter().skip(axis + 1).product::<usize>();
        match attribute("block_size").unwrap_or(0) {
            0 if scale_shape == [len] => Ok(Self::Axis { len: len.max(1), inner: inner.max(1) }),
            block if block > 0 => {
                let block = usize::try_from(block).unwrap_or(usize::MAX);
                let blocks = len.div_ceil(block);
                let mut expected = shape.to_vec();
                if let Some(dim) = expected.get_mut(axis) {
                    *dim = blocks;
                }
                if scale_shape != expected {
                    return Err(malformed(scale, "its shape is not that of the blocks"));
                }
                Ok(Self::Block { len: len.max(1), inner: inner.max(1), block, blocks })
            }
            _ => Err(malformed(scale, "its shape fits neither a tensor, an axis nor blocks")),
        }
    }

    fn of(&self, idx: usize) -> usize {
        match *self {
            Self::Tensor => 0,
            Self::Axis { len, inner } => idx / inner % len,
            Self::Block { len, inner, block, blocks } => {
                let (outer, along) = (idx / inner / len, idx / inner % len);
                (outer * blocks + along / block) * inner + idx % inner
            }
        }
    }
}

/// The same values under the shape `to` asks for (0 keeps a dimension, one -1 takes what is left).
fn reshaped(tensor: &TensorProto, to: &TensorProto) -> Result<TensorProto, ConvertError> {
    let total = shape_of(tensor)?.iter().product::<usize>();
    let mut dims = Vec::new();
    for (idx, dim) in longs(to)?.into_iter().enumerate() {
        dims.push(match dim {
            0 => *tensor
                .dims
                .get(idx)
                .ok_or_else(|| malformed(to, "it keeps a dimension that is not there"))?,
            other => other,
        });
    }
    let known = dims.iter().filter(|d| **d != -1).try_fold(1_i64, |a, d| a.checked_mul(*d));
    let known = known.filter(|k| *k > 0).and_then(|k| usize::try_from(k).ok());
    let known = known.ok_or_else(|| malformed(to, "it asks for no shape"))?;
    if let Some(free) = dims.iter_mut().find(|d| **d == -1) {
        *free = (total / known) as i64;
    }
    let result = TensorProto { dims, name: to.name.clone(), ..tensor.clone() };
    if shape_of(&result)?.iter().product::<usize>() != total {
        return Err(malformed(to, "it asks for another number of values"));
    }
    Ok(result)
}

/// Drops constants and initializers nobody reads, and inputs that are initializers or read by nobody.
fn tidy(graph: &mut GraphProto) {
    let read: BTreeSet<&str> = graph.node.iter().flat_map(|n| n.input.iter().map(String::as_str)).collect();
    let kept: BTreeSet<String> = graph
        .output
        .iter()
        .filter_map(|o| o.name.clone())
        .chain(read.into_iter().map(str::to_owned))
        .collect();
    graph.node.retain(|n| n.op_type() != "Constant" || n.output.iter().any(|o| kept.contains(o)));
    graph.initializer.retain(|t| kept.contains(name_of(t)));
    let constant: BTreeSet<&str> = graph.initializer.iter().map(name_of).collect();
    graph.input.retain(|i| kept.contains(i.name()) && !constant.contains(i.name()));
}

fn stays_the_same(node: &NodeProto) -> Result<(), ConvertError> {
    let known = node.domain().is_empty() && UNCHANGED.contains(&node.op_type());
    if known && !node.attribute.iter().any(|a| LATER_ATTRIBUTES.contains(&a.name())) {
        return Ok(());
    }
    Err(ConvertError::Unsupported {
        what: "an operator that may mean something else in operator set 13",
        name: format!("{} {}", node.op_type(), node.name()),
    })
}

fn free_height_and_width(input: &mut ValueInfoProto) -> Result<(), ConvertError> {
    let shape = input.r#type.as_mut().and_then(|t| t.tensor_type.as_mut()).and_then(|t| t.shape.as_mut());
    let Some([batch, _, height, width]) = shape.map(|s| s.dim.as_mut_slice()) else {
        return Err(unsupported("an input that is not [N, C, H, W]", &input.name));
    };
    batch.value = Some(DimensionValue::DimValue(1));
    *height = Dimension { value: Some(DimensionValue::DimParam("H".to_owned())), denotation: None };
    *width = Dimension { value: Some(DimensionValue::DimParam("W".to_owned())), denotation: None };
    Ok(())
}

/// Its dimensions, whose product is known to be small.
fn shape_of(tensor: &TensorProto) -> Result<Vec<usize>, ConvertError> {
    let shape: Option<Vec<usize>> = tensor.dims.iter().map(|d| usize::try_from(*d).ok()).collect();
    let shape = shape.ok_or_else(|| malformed(tensor, "a dimension is negative"))?;
    // Zeros count as one here, so that the product of any part is bounded too.
    let bound = shape.iter().try_fold(1_usize, |a, d| a.checked_mul((*d).max(1)));
    if bound.is_none_or(|n| n > MAX_WEIGHTS) {
        return Err(ConvertError::TooManyWeights);
    }
    Ok(shape)
}

fn counted<T>(tensor: &TensorProto, values: Vec<T>) -> Result<Vec<T>, ConvertError> {
    if shape_of(tensor)?.iter().product::<usize>() == values.len() {
        return Ok(values);
    }
    Err(malformed(tensor, "its dimensions and its data disagree"))
}

/// Data as fixed-size little-endian words.
fn words<const N: usize, T>(
    tensor: &TensorProto,
    read: fn([u8; N]) -> T,
) -> Result<Option<Vec<T>>, ConvertError> {
    let Some(raw) = tensor.raw_data.as_deref().filter(|raw| !raw.is_empty()) else { return Ok(None) };
    let (words, rest) = raw.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(malformed(tensor, "its data ends inside a value"));
    }
    Ok(Some(words.iter().map(|w| read(*w)).collect()))
}

fn floats(tensor: &TensorProto) -> Result<Vec<f32>, ConvertError> {
    if tensor.data_type() != data_type::FLOAT {
        return Err(malformed(tensor, "32-bit floats are needed"));
    }
    let values = words(tensor, f32::from_le_bytes)?.unwrap_or_else(|| tensor.float_data.clone());
    counted(tensor, values)
}

fn longs(tensor: &TensorProto) -> Result<Vec<i64>, ConvertError> {
    if tensor.data_type() != data_type::INT64 {
        return Err(malformed(tensor, "64-bit integers are needed"));
    }
    let values = words(tensor, i64::from_le_bytes)?.unwrap_or_else(|| tensor.int64_data.clone());
    counted(tensor, values)
}

/// Quantised values as floats. Those of 32 bits lose their lowest bits, as they do in the operator's definition.
fn integers(tensor: &TensorProto) -> Result<Vec<f32>, ConvertError> {
    let stored = || tensor.int32_data.iter().map(|v| *v as f32).collect();
    let values = match tensor.data_type() {
        data_type::UINT8 => words(tensor, |[b]: [u8; 1]| f32::from(b))?,
        data_type::INT8 => words(tensor, |b: [u8; 1]| f32::from(i8::from_le_bytes(b)))?,
        data_type::INT32 => words(tensor, |b: [u8; 4]| i32::from_le_bytes(b) as f32)?,
        _ => return Err(unsupported("a quantised type other than 8 or 32 bits", &tensor.name)),
    };
    counted(tensor, values.unwrap_or_else(stored))
}

fn little_endian(tensor: &TensorProto) -> Result<Vec<u8>, ConvertError> {
    match tensor.data_type() {
        data_type::FLOAT => Ok(floats(tensor)?.iter().flat_map(|v| v.to_le_bytes()).collect()),
        data_type::INT64 => Ok(longs(tensor)?.iter().flat_map(|v| v.to_le_bytes()).collect()),
        _ => Err(unsupported("a type that has no digest", &tensor.name)),
    }
}

fn name_of(tensor: &TensorProto) -> &str {
    tensor.name()
}

fn malformed(tensor: &TensorProto, what: &'static str) -> ConvertError {
    ConvertError::Tensor { name: tensor.name().to_owned(), what }
}

fn unsupported(what: &'static str, name: &Option<String>) -> ConvertError {
    ConvertError::Unsupported { what, name: name.clone().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::onnx::{OperatorSetIdProto, TensorShapeProto, TensorType, TypeProto};

    type Attributes<'a> = &'a [(&'a str, i64)];

    fn tensor(name: &str, data_type: i32, dims: &[i64], raw: Vec<u8>) -> TensorProto {
        TensorProto {
            name: Some(name.to_owned()),
            data_type: Some(data_type),
            dims: dims.to_vec(),
            raw_data: Some(raw),
            ..TensorProto::default()
        }
    }

    fn f32s(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
        tensor(name, data_type::FLOAT, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    fn i8s(name: &str, dims: &[i64], values: &[i8]) -> TensorProto {
        tensor(name, data_type::INT8, dims, values.iter().map(|v| *v as u8).collect())
    }

    fn node(op: &str, inputs: &[&str], output: &str, attributes: Attributes) -> NodeProto {
        NodeProto {
            op_type: Some(op.to_owned()),
            input: inputs.iter().map(|s| (*s).to_owned()).collect(),
            output: vec![output.to_owned()],
            attribute: attributes
                .iter()
                .map(|(name, i)| AttributeProto {
                    name: Some((*name).to_owned()),
                    i: Some(*i),
                    r#type: Some(2),
                    ..AttributeProto::default()
                })
                .collect(),
            ..NodeProto::default()
        }
    }

    fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
        let dim = |d: &i64| Dimension { value: Some(DimensionValue::DimValue(*d)), denotation: None };
        let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
        let tensor = TensorType { elem_type: Some(data_type::FLOAT), shape: Some(shape) };
        ValueInfoProto {
            name: Some(name.to_owned()),
            r#type: Some(TypeProto { tensor_type: Some(tensor), ..TypeProto::default() }),
            ..ValueInfoProto::default()
        }
    }

    fn model(nodes: Vec<NodeProto>, initializer: Vec<TensorProto>) -> ModelProto {
        let graph = GraphProto {
            node: nodes,
            initializer,
            input: vec![value("picture", &[10, 3, 32, 32])],
            output: vec![value("out", &[10, 1, 8, 8])],
            ..GraphProto::default()
        };
        ModelProto {
            ir_version: Some(3),
            graph: Some(graph),
            opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(21) }],
            ..ModelProto::default()
        }
    }

    /// A network of one convolution, whose weights are dequantised with `attributes` from the initializers given.
    fn quantised(
        attributes: &[(&str, i64)],
        mut initializer: Vec<TensorProto>,
        reshape: Option<&[i64]>,
    ) -> ModelProto {
        let mut nodes = vec![node("DequantizeLinear", &["q", "scale", "zero"], "w", attributes)];
        if let Some(dims) = reshape {
            let raw = dims.iter().flat_map(|d| d.to_le_bytes()).collect();
            initializer.push(tensor("shape", data_type::INT64, &[dims.len() as i64], raw));
            nodes.push(node("Reshape", &["w", "shape"], "weights", &[]));
        }
        let weights = if reshape.is_some() { "weights" } else { "w" };
        nodes.push(node("Conv", &["picture", weights], "out", &[]));
        model(nodes, initializer)
    }

    /// The one initializer left.
    fn weights(bytes: &[u8]) -> (Vec<i64>, Vec<f32>) {
        let graph = ModelProto::decode(bytes).unwrap().graph.unwrap();
        let [tensor] = graph.initializer.as_slice() else { panic!("{:?}", graph.initializer) };
        assert_eq!(graph.node.len(), 1, "only the convolution is left");
        assert_eq!(graph.node[0].input[1], tensor.name());
        (tensor.dims.clone(), floats(tensor).unwrap())
    }

    #[test]
    fn scales_apply_per_tensor_axis_and_block() {
        let q = i8s("q", &[2, 4], &[1, 2, 3, 4, -5, -6, -7, -8]);
        let rows: [(Attributes, TensorProto, TensorProto, [f32; 8]); 5] = [
            (
                &[],
                f32s("scale", &[], &[0.5]),
                i8s("zero", &[], &[1]),
                [0.0, 0.5, 1.0, 1.5, -3.0, -3.5, -4.0, -4.5],
            ),
            (
                &[("block_size", 64)],
                f32s("scale", &[1], &[2.0]),
                i8s("zero", &[1], &[0]),
                [2.0, 4.0, 6.0, 8.0, -10.0, -12.0, -14.0, -16.0],
            ),
            (
                &[("axis", 0)],
                f32s("scale", &[2], &[1.0, 10.0]),
                i8s("zero", &[2], &[0, -5]),
                [1.0, 2.0, 3.0, 4.0, 0.0, -10.0, -20.0, -30.0],
            ),
            (
                &[("axis", -1), ("block_size", 3)],
                f32s("scale", &[2, 2], &[1.0, 2.0, 3.0, 4.0]),
                i8s("zero", &[2, 2], &[0, 0, 1, 1]),
                [1.0, 2.0, 3.0, 8.0, -18.0, -21.0, -24.0, -36.0],
            ),
            (
                &[("axis", 0), ("block_size", 2)],
                f32s("scale", &[1, 4], &[1.0, 2.0, 3.0, 4.0]),
                i8s("zero", &[1, 4], &[0, 0, 0, 0]),
                [1.0, 4.0, 9.0, 16.0, -5.0, -12.0, -21.0, -32.0],
            ),
        ];
        for (attributes, scale, zero, want) in rows {
            let bytes = quantised(attributes, vec![q.clone(), scale, zero], None).encode_to_vec();
            assert_eq!(weights(&dequantise(&bytes).unwrap()), (vec![2, 4], want.to_vec()), "{attributes:?}");
        }
    }

    #[test]
    fn the_reshape_that_follows_is_applied_too() {
        let parts =
            || vec![i8s("q", &[2, 2], &[1, 2, 3, 4]), f32s("scale", &[], &[1.0]), i8s("zero", &[], &[0])];
        for (to, want) in [(&[4, 1][..], vec![4, 1]), (&[-1], vec![4]), (&[0, 1, -1], vec![2, 1, 2])] {
            let bytes = quantised(&[], parts(), Some(to)).encode_to_vec();
            assert_eq!(weights(&dequantise(&bytes).unwrap()), (want, vec![1.0, 2.0, 3.0, 4.0]));
        }
        for to in [&[3][..], &[-1, -1], &[0, 0, 0], &[i64::MAX, i64::MAX], &[-2, -2], &[3, -1]] {
            let bytes = quantised(&[], parts(), Some(to)).encode_to_vec();
            assert!(dequantise(&bytes).is_err(), "{to:?}");
        }
    }

    #[test]
    fn contradictions_are_refused() {
        let good =
            || (i8s("q", &[2, 4], &[0; 8]), f32s("scale", &[2], &[1.0; 2]), i8s("zero", &[2], &[0; 2]));
        let broken: [fn(&mut TensorProto, &mut TensorProto, &mut TensorProto); 8] = [
            |q, _, _| q.dims = vec![2, 5],
            |q, _, _| q.dims = vec![-2, -4],
            |q, _, _| q.dims = vec![i64::MAX, i64::MAX, 4],
            |q, _, _| q.data_type = Some(data_type::FLOAT),
            |_, s, _| s.dims = vec![3],
            |_, s, _| s.raw_data = Some(vec![0; 7]),
            |_, _, z| z.raw_data = Some(vec![0; 1]),
            |q, _, _| q.data_location = Some(1),
        ];
        for (idx, break_it) in broken.iter().enumerate() {
            let (mut q, mut scale, mut zero) = good();
            break_it(&mut q, &mut scale, &mut zero);
            let bytes = quantised(&[("axis", 0)], vec![q, scale, zero], None).encode_to_vec();
            assert!(dequantise(&bytes).is_err(), "case {idx}");
        }
        let (q, scale, zero) = good();
        for axis in [2, -3, i64::MIN, i64::MAX] {
            let bytes = quantised(&[("axis", axis)], vec![q.clone(), scale.clone(), zero.clone()], None)
                .encode_to_vec();
            assert!(dequantise(&bytes).is_err(), "axis {axis}");
        }
        assert!(matches!(dequantise(&[]), Err(ConvertError::NoGraph)));
        assert!(matches!(dequantise(b"not a model"), Err(ConvertError::Decode(_))));
    }

    #[test]
    fn one_tensor_dequantised_again_and_again_does_not_fill_the_memory() {
        let n = 1 << 16;
        let parts = vec![i8s("q", &[n], &vec![1; n as usize]), f32s("scale", &[], &[1.0])];
        let nodes =
            (0..1000).map(|i| node("DequantizeLinear", &["q", "scale"], &format!("w{i}"), &[])).collect();
        assert!(matches!(
            dequantise(&model(nodes, parts).encode_to_vec()),
            Err(ConvertError::TooManyWeights)
        ));
    }

    #[test]
    fn an_operator_that_may_have_changed_is_refused() {
        let bytes = model(vec![node("Softmax", &["picture"], "out", &[])], vec![]).encode_to_vec();
        assert!(matches!(dequantise(&bytes), Err(ConvertError::Unsupported { .. })));
        let bytes =
            model(vec![node("Resize", &["picture"], "out", &[("antialias", 1)])], vec![]).encode_to_vec();
        assert!(matches!(dequantise(&bytes), Err(ConvertError::Unsupported { .. })));
    }

    #[test]
    fn a_fixed_network_becomes_free_in_height_and_width() {
        let weights = f32s("w", &[1, 3, 1, 1], &[1.0, 2.0, 3.0]);
        let mut fixed = model(vec![node("Conv", &["picture", "w"], "out", &[])], vec![weights.clone()]);
        let graph = fixed.graph.as_mut().unwrap();
        graph.initializer.push(f32s("num_batches_tracked", &[], &[1.0]));
        graph.input.push(value("w", &[1, 3, 1, 1]));
        graph.input.push(value("num_batches_tracked", &[]));
        graph.value_info.push(value("out", &[10, 1, 8, 8]));

        let free = ModelProto::decode(make_dynamic(&fixed.encode_to_vec()).unwrap().as_slice()).unwrap();
        assert_eq!(free.ir_version, Some(4), "since then initializers need not be inputs");
        let graph = free.graph.unwrap();
        assert_eq!(graph.initializer, [weights]);
        assert_eq!(graph.value_info, []);
        let dims = |v: &ValueInfoProto| -> Vec<Option<DimensionValue>> {
            let shape = v.r#type.clone().unwrap().tensor_type.unwrap().shape.unwrap();
            shape.dim.into_iter().map(|d| d.value).collect()
        };
        let param = |s: &str| Some(DimensionValue::DimParam(s.to_owned()));
        assert_eq!(graph.input.len(), 1);
        let number = |n| Some(DimensionValue::DimValue(n));
        assert_eq!(dims(&graph.input[0]), [number(1), number(3), param("H"), param("W")]);
        assert_eq!(dims(&graph.output[0]), [None, None, None, None]);
    }

    #[test]
    fn the_digest_follows_what_is_computed_and_nothing_else() {
        let weights = [f32s("a", &[2], &[1.0, 2.0]), f32s("b", &[1], &[3.0])];
        let base = || {
            let node = node("Conv", &["picture", "a", "b"], "out", &[("group", 1), ("auto", 2)]);
            model(vec![node], weights.to_vec())
        };
        let digest_of = |change: fn(&mut ModelProto, &mut GraphProto)| {
            let mut model = base();
            let mut graph = model.graph.take().unwrap();
            change(&mut model, &mut graph);
            model.graph = Some(graph);
            digest(&model.encode_to_vec()).unwrap()
        };
        let same: [fn(&mut ModelProto, &mut GraphProto); 4] = [
            |_, g| g.initializer.reverse(),
            |m, _| m.producer_name = Some("someone".to_owned()),
            |_, g| g.node[0].attribute.reverse(),
            |_, g| {
                let values = floats(&g.initializer[0]).unwrap();
                g.initializer[0].raw_data = None;
                g.initializer[0].float_data = values;
            },
        ];
        let other: [fn(&mut ModelProto, &mut GraphProto); 6] = [
            |_, g| g.initializer[0].raw_data.as_mut().unwrap()[0] ^= 1,
            |_, g| g.initializer[0].dims = vec![2, 1],
            |_, g| g.initializer[0].name = Some("c".to_owned()),
            |_, g| g.node[0].input.swap(1, 2),
            |_, g| g.node[0].op_type = Some("Gemm".to_owned()),
            |_, g| g.node[0].attribute[0].i = Some(2),
        ];
        let unchanged = digest(&base().encode_to_vec()).unwrap();
        for change in same {
            assert_eq!(digest_of(change), unchanged);
        }
        for (idx, change) in other.into_iter().enumerate() {
            assert_ne!(digest_of(change), unchanged, "change {idx}");
        }
    }

    proptest! {
        #[test]
        fn damaged_models_are_refused_or_converted_but_never_panic(
            at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let parts = vec![
                i8s("q", &[2, 4], &[3; 8]), f32s("scale", &[2, 2], &[1.0; 4]), i8s("zero", &[2, 2], &[0; 4]),
            ];
            let mut bytes = quantised(&[("axis", 1), ("block_size", 2)], parts, Some(&[8])).encode_to_vec();
            for (place, value) in at {
                let place = place.index(bytes.len());
                bytes[place] = value;
            }
            bytes.truncate(cut.index(bytes.len() * 4).max(1));
            for convert in [dequantise, make_dynamic] {
                if let Ok(converted) = convert(&bytes) {
                    prop_assert!(ModelProto::decode(converted.as_slice()).is_ok());
                }
            }
            let _ = digest(&bytes);
        }
    }
}
