import COnnxReader
import SardonyxGraph

/// The most axes of a tensor; the same limit as numpy's.
package let maximumRank = 64

/// The element type with this number in `TensorProto.DataType`.
func elementType(_ number: Int32, of what: String) throws(SardonyxError) -> DataType {
    guard let type = DataType(rawValue: number) else {
        throw SardonyxError(.unsupported, "\(what) has the element type number \(number), which ONNX does not define")
    }
    return type
}

/// A value's type as the file states it.
func readType(_ type: UnsafePointer<sdx_type>?, of name: String, depth: Int = 0) throws(SardonyxError) -> ValueType {
    guard let type, depth < 32 else { return .unknown }
    switch sdx_type_get_kind(type) {
    case SDX_TYPE_TENSOR, SDX_TYPE_SPARSE_TENSOR:
        let number = sdx_type_elem_type(type)
        if number == 0 { return .unknown }
        let element = try elementType(number, of: "'\(name)'")
        let shape = try readShape(type, of: name)
        return sdx_type_get_kind(type) == SDX_TYPE_TENSOR ? .tensor(element, shape) : .sparseTensor(element, shape)
    case SDX_TYPE_SEQUENCE:
        return .sequence(try readType(sdx_type_element(type), of: name, depth: depth + 1))
    case SDX_TYPE_OPTIONAL:
        return .optional(try readType(sdx_type_element(type), of: name, depth: depth + 1))
    case SDX_TYPE_MAP:
        return .map(
            key: try elementType(sdx_type_map_key_type(type), of: "the key of '\(name)'"),
            value: try readType(sdx_type_element(type), of: name, depth: depth + 1))
    default: return .unknown
    }
}

private func readShape(_ type: UnsafePointer<sdx_type>, of name: String) throws(SardonyxError) -> SymbolicShape? {
    guard sdx_type_has_shape(type) else { return nil }
    let rank = sdx_type_dim_count(type)
    guard rank <= maximumRank else {
        throw SardonyxError(.unsupported, "'\(name)' has \(rank) axes; \(maximumRank) are the most")
    }
    var shape: SymbolicShape = []
    for axis in 0..<rank {
        let dimension = sdx_type_dim(type, axis)
        switch dimension.kind {
        case SDX_DIM_VALUE:
            // Some exporters write -1 for an extent that they do not know.
            guard dimension.value >= -1 else {
                throw SardonyxError(.invalidModel, "'\(name)' has the extent \(dimension.value) on axis \(axis)")
            }
            shape.append(dimension.value < 0 ? .unknown : .fixed(Int(dimension.value)))
        case SDX_DIM_PARAM:
            let symbol = dimension.param.text
            // Some exporters name every extent that they do not know `?`, equal or not.
            shape.append(symbol.isEmpty || symbol == "?" ? .unknown : .symbol(symbol))
        default: shape.append(.unknown)
        }
    }
    return shape
}
