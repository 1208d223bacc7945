import COnnxReader
import SardonyxGraph

/// Values in the files of ONNX's test data: one TensorProto, SequenceProto, OptionalProto, MapProto or SparseTensorProto.
package enum ProtobufFile {
    /// Nesting beyond this is refused.
    private static let maximumDepth = 32

    /// Reads a value. The file does not say which message it holds, the type does; an unknown type means a tensor.
    /// - Throws: `file`, `malformed`.
    package static func read(_ path: String, as type: ValueType = .unknown) throws -> Datum {
        let kind: sdx_value_kind =
            switch type {
            case .tensor, .unknown: SDX_VALUE_TENSOR
            case .sparseTensor: SDX_VALUE_SPARSE_TENSOR
            case .sequence: SDX_VALUE_SEQUENCE
            case .optional: SDX_VALUE_OPTIONAL
            case .map: SDX_VALUE_MAP
            }
        do {
            var error = sdx_error()
            guard let pointer = sdx_value_open(path, kind, SDX_OPEN_COPIED, &error) else { throw SardonyxError(error) }
            let handle = ValueHandle(pointer)
            return try ValueReader(tensors: TensorReader(owner: handle, externalData: nil)).read(handle)
        } catch let error as SardonyxError {
            throw error.inFile(path)
        }
    }

    /// An open value; closing waits until the last tensor that aliases its bytes is gone.
    private final class ValueHandle {
        let pointer: UnsafeMutablePointer<sdx_value>
        init(_ pointer: UnsafeMutablePointer<sdx_value>) { self.pointer = pointer }
        deinit { sdx_value_close(pointer) }
    }

    private struct ValueReader {
        let tensors: TensorReader

        func read(_ handle: ValueHandle) throws -> Datum {
            let value = UnsafePointer(handle.pointer)
            if let tensor = sdx_value_tensor(value) { return .tensor(try tensors.read(tensor)) }
            if let sparse = sdx_value_sparse_tensor(value) { return .tensor(try tensors.readSparse(sparse).tensor) }
            if let sequence = sdx_value_sequence(value) { return .sequence(try elements(sequence, 0)) }
            if let optional = sdx_value_optional(value) { return try read(optional, 0) }
            if let map = sdx_value_map(value) { return try read(map, 0) }
            throw SardonyxError(.malformed, "the file holds no value")
        }

        private func elements(_ sequence: UnsafePointer<sdx_sequence>, _ depth: Int) throws -> [Datum] {
            guard depth < maximumDepth else { throw SardonyxError(.malformed, "values are nested too deep") }
            func all(_ kind: sdx_element_kind, _ body: (Int) throws -> Datum) rethrows -> [Datum] {
                try gather(sdx_sequence_count(sequence, kind), body)
            }
            // Whichever list is filled: writers disagree on the stated kind of an empty one.
            return try all(SDX_ELEMENT_TENSOR) { .tensor(try tensors.read(sdx_sequence_tensor(sequence, $0))) }
                + all(SDX_ELEMENT_SPARSE_TENSOR) {
                    .tensor(try tensors.readSparse(sdx_sequence_sparse_tensor(sequence, $0)).tensor)
                }
                + all(SDX_ELEMENT_SEQUENCE) { .sequence(try elements(sdx_sequence_sequence(sequence, $0), depth + 1)) }
                + all(SDX_ELEMENT_MAP) { try read(sdx_sequence_map(sequence, $0), depth + 1) }
                + all(SDX_ELEMENT_OPTIONAL) { try read(sdx_sequence_optional(sequence, $0), depth + 1) }
        }

        private func read(_ optional: UnsafePointer<sdx_optional>, _ depth: Int) throws -> Datum {
            guard depth < maximumDepth else { throw SardonyxError(.malformed, "values are nested too deep") }
            if sdx_optional_elem_type(optional) == Int32(SDX_ELEMENT_UNDEFINED.rawValue) { return .optional(nil) }
            if let tensor = sdx_optional_tensor(optional) { return .optional(.tensor(try tensors.read(tensor))) }
            if let sparse = sdx_optional_sparse_tensor(optional) {
                return .optional(.tensor(try tensors.readSparse(sparse).tensor))
            }
            if let sequence = sdx_optional_sequence(optional) {
                return .optional(.sequence(try elements(sequence, depth + 1)))
            }
            if let map = sdx_optional_map(optional) { return .optional(try read(map, depth + 1)) }
            if let inner = sdx_optional_optional(optional) { return .optional(try read(inner, depth + 1)) }
            return .optional(nil)
        }

        private func read(_ map: UnsafePointer<sdx_map>, _ depth: Int) throws -> Datum {
            let values = try sdx_map_values(map).map { try elements($0, depth + 1) } ?? []
            let strings = gather(sdx_map_string_key_count(map)) {
                Datum.MapKey.string(sdx_map_string_key(map, $0).text)
            }
            let keys = strings.isEmpty ? sdx_map_keys(map).array.map(Datum.MapKey.integer) : strings
            guard keys.count == values.count else {
                throw SardonyxError(.malformed, "a map has \(keys.count) keys for \(values.count) values")
            }
            return .map(zip(keys, values).map { (key: $0, value: $1) })
        }
    }
}
