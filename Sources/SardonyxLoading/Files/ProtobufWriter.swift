import SardonyxGraph

/// Writes values as ONNX's TensorProto, SequenceProto, OptionalProto and MapProto.
package struct ProtobufWriter {
    private var bytes: [UInt8] = []

    /// Fields by their numbers in onnx.proto.
    private enum Field {
        static let dims = 1
        static let dataType = 2
        static let stringData = 6
        static let rawData = 9
        static let tensorName = 8
        /// Of sequences, optionals and maps.
        static let name = 1
        static let elementType = 2
        static let keys = 3
        static let stringKeys = 4
        static let values = 5
    }

    /// The numbers of SequenceProto.DataType and OptionalProto.DataType; the field with such values is two further on.
    private enum Element: Int {
        case undefined = 0
        case tensor = 1
        case sequence = 3
        case map = 4
        case optional = 5

        init(_ datum: Datum?) {
            switch datum {
            case nil: self = .undefined
            case .tensor: self = .tensor
            case .sequence: self = .sequence
            case .map: self = .map
            case .optional: self = .optional
            }
        }

        var field: Int { rawValue + 2 }
    }

    /// The message for a value, in the form that protobuf files have.
    package static func bytes(of datum: Datum, name: String = "") throws(SardonyxError) -> [UInt8] {
        var writer = ProtobufWriter()
        try writer.put(datum, name)
        return writer.bytes
    }

    /// Writes a value, whole or not at all.
    package static func write(_ datum: Datum, name: String = "", to path: String) throws {
        do {
            try bytes(of: datum, name: name).withUnsafeBytes { try writeFile(path, [$0]) }
        } catch let error as SardonyxError {
            throw error.inFile(path)
        }
    }

    private mutating func put(_ datum: Datum, _ name: String) throws(SardonyxError) {
        switch datum {
        case .tensor(let tensor): try put(tensor, name)
        case .sequence(let elements):
            if !name.isEmpty { put(Field.name, Array(name.utf8)) }
            // An empty list has lost the kind of its elements; tensors are what they nearly always are.
            let kind = Element(elements.first ?? .tensor(Tensor(0 as Float)))
            put(Field.elementType, kind.rawValue)
            for element in elements { put(kind.field, try Self.bytes(of: element)) }
        case .optional(let value):
            if !name.isEmpty { put(Field.name, Array(name.utf8)) }
            let kind = Element(value)
            put(Field.elementType, kind.rawValue)
            if let value { put(kind.field, try Self.bytes(of: value)) }
        case .map(let entries):
            if !name.isEmpty { put(Field.name, Array(name.utf8)) }
            var isText = false
            if case .string? = entries.first?.key { isText = true }
            put(Field.elementType, Int((isText ? DataType.string : .int64).rawValue))
            for entry in entries {
                switch entry.key {
                case .integer(let key): put(Field.keys, Int(key))
                case .string(let key): put(Field.stringKeys, Array(key.utf8))
                }
            }
            put(Field.values, try Self.bytes(of: .sequence(entries.map(\.value))))
        }
    }

    private mutating func put(_ tensor: Tensor, _ name: String) throws(SardonyxError) {
        // Protobuf's own limit for a message.
        guard tensor.byteCount < Int(Int32.max) - 4096 else {
            throw SardonyxError(.unsupported, "a tensor of \(tensor.byteCount) bytes does not fit into a .pb file")
        }
        for extent in tensor.shape { put(Field.dims, extent) }
        put(Field.dataType, Int(tensor.dataType.rawValue))
        if tensor.dataType == .string {
            for text in tensor.strings { put(Field.stringData, Array(text.utf8)) }
        } else {
            let bits = tensor.dataType.fileBitCount
            tensor.withUnsafeBytes { source in
                if bits < 8 { put(Field.rawData, Self.pack(source, bits)) } else { put(Field.rawData, source) }
            }
        }
        if !name.isEmpty { put(Field.tensorName, Array(name.utf8)) }
    }

    /// Elements of two, four or six bits side by side, the first in the lowest bits.
    private static func pack(_ source: UnsafeRawBufferPointer, _ bits: Int) -> [UInt8] {
        var packed = [UInt8](repeating: 0, count: (source.count * bits + 7) / 8)
        for (index, byte) in source.enumerated() {
            let bit = index * bits
            let element = UInt16(byte & UInt8((1 << bits) - 1)) << UInt16(bit % 8)
            packed[bit / 8] |= UInt8(truncatingIfNeeded: element)
            // Six bits may go on in the next byte.
            if element > 0xFF { packed[bit / 8 + 1] |= UInt8(element >> 8) }
        }
        return packed
    }

    // MARK: The wire

    private mutating func put(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private mutating func put(_ field: Int, _ value: Int) {
        put(varint: UInt64(field) << 3)
        put(varint: UInt64(bitPattern: Int64(value)))
    }

    private mutating func put(_ field: Int, _ content: some Collection<UInt8>) {
        put(varint: UInt64(field) << 3 | 2)
        put(varint: UInt64(content.count))
        bytes.append(contentsOf: content)
    }
}
