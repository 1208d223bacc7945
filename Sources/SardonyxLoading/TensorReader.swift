import COnnxReader
import Glibc
import SardonyxGraph

/// Turns tensors of a file into `Tensor`s, aliasing large ones.
struct TensorReader {
    /// Keeps the bytes of aliased tensors alive.
    let owner: AnyObject
    let externalData: ExternalData?
    /// Tensors up to this many bytes are copied, which aligns them.
    private static let copyLimit = 1024
    /// Sparse tensors up to this many elements are made dense, and larger ones up to this many for each value in the file:
    /// a file of a few bytes must not fill the memory.
    private static let denseLimit = 1 << 16

    func read(_ tensor: UnsafePointer<sdx_tensor>) throws(SardonyxError) -> Tensor {
        let name = sdx_tensor_name(tensor).text
        let type = try elementType(sdx_tensor_data_type(tensor), of: "tensor '\(name)'")
        let shape = try Self.shape(sdx_tensor_dims(tensor).array, of: name, type)
        if sdx_tensor_is_segment(tensor) {
            throw SardonyxError(.unsupported, "tensor '\(name)' is cut into segments")
        }
        let count = shape.elementCount
        let data = sdx_tensor_get_data(tensor)
        func mismatch(_ found: Int, _ unit: String, _ expected: Int) -> SardonyxError {
            SardonyxError(
                .malformed,
                "tensor '\(name)' of \(type.name)\(shape) needs \(expected) \(unit) of data; the file gives \(found)")
        }
        switch data.kind {
        case SDX_DATA_STRING:
            guard type == .string else { throw mismatch(0, "elements", count) }
            guard data.count == count else { throw mismatch(data.count, "strings", count) }
            return Tensor(shape: shape, strings: gather(count) { sdx_tensor_string(tensor, $0).text })
        case SDX_DATA_RAW, SDX_DATA_EXTERNAL:
            if type == .string { throw SardonyxError(.malformed, "tensor '\(name)' has strings as raw data") }
            var bytes = UnsafeRawBufferPointer(start: data.data, count: data.kind == SDX_DATA_RAW ? data.count : 0)
            var keeper = owner
            if data.kind == SDX_DATA_EXTERNAL {
                guard let externalData else {
                    throw SardonyxError(.unsupported, "tensor '\(name)' has external data, and no folder to find it in")
                }
                let entries = gather(sdx_tensor_external_count(tensor)) { sdx_tensor_external(tensor, $0) }
                let expected = Self.fileByteCount(count, type)
                (bytes, keeper) = try externalData.bytes(for: name, entries: entries, expected: expected)
            }
            let expected = Self.fileByteCount(count, type)
            guard bytes.count == expected else { throw mismatch(bytes.count, "bytes", expected) }
            return try Self.tensor(type, shape, bytes, owner: keeper)
        case SDX_DATA_NONE:
            guard count == 0 else { throw mismatch(0, "elements", count) }
            return try Tensor(dataType: type, shape: shape)
        default:
            return try typedData(data, type, shape, mismatch)
        }
    }

    /// A checked shape: extents that are not negative and a size in bytes that fits.
    static func shape(_ dims: [Int64], of name: String, _ type: DataType) throws(SardonyxError) -> [Int] {
        let shape = dims.map { Int($0) }
        guard shape.count <= maximumRank, TensorSpec(dataType: type, shape: shape).isPossible else {
            throw SardonyxError(.malformed, "tensor '\(name)' has the impossible shape \(shape)")
        }
        return shape
    }

    static func fileByteCount(_ count: Int, _ type: DataType) -> Int { (count * type.fileBitCount + 7) / 8 }

    /// A tensor over little-endian bytes as files have them.
    static func tensor(
        _ type: DataType, _ shape: [Int], _ bytes: UnsafeRawBufferPointer, owner: AnyObject
    ) throws(SardonyxError) -> Tensor {
        if type.fileBitCount < 8 {
            let tensor = try Tensor(uninitialized: type, shape: shape)
            unpack(bytes, into: tensor)
            return tensor
        }
        if type == .bool {
            let tensor = try Tensor(uninitialized: type, shape: shape)
            let target = tensor.storage.base.assumingMemoryBound(to: UInt8.self)
            for (index, byte) in bytes.enumerated() { target[index] = byte == 0 ? 0 : 1 }
            return tensor
        }
        if bytes.count <= copyLimit {
            let tensor = try Tensor(uninitialized: type, shape: shape)
            if let source = bytes.baseAddress { memcpy(tensor.storage.base, source, bytes.count) }
            return tensor
        }
        return Tensor(dataType: type, shape: shape, storage: TensorStorage(borrowing: bytes, owner: owner))
    }

    /// Spreads elements of two, four or six bits over a byte each; the first element is in the lowest bits.
    private static func unpack(_ bytes: UnsafeRawBufferPointer, into tensor: Tensor) {
        let bits = tensor.dataType.fileBitCount
        let isSigned = tensor.dataType == .int4 || tensor.dataType == .int2
        let target = tensor.storage.base.assumingMemoryBound(to: UInt8.self)
        for index in 0..<tensor.count {
            let bit = index * bits
            // An element of six bits may go on in the next byte.
            let next = bit % 8 + bits > 8 ? UInt16(bytes[bit / 8 + 1]) << 8 : 0
            let value =
                UInt8(truncatingIfNeeded: (UInt16(bytes[bit / 8]) | next) >> UInt16(bit % 8)) & UInt8((1 << bits) - 1)
            let isNegative = isSigned && value >> UInt8(bits - 1) != 0
            target[index] = isNegative ? value | ~UInt8((1 << bits) - 1) : value
        }
    }

    /// Elements in one of TensorProto's typed fields.
    private func typedData(
        _ data: sdx_tensor_data, _ type: DataType, _ shape: [Int], _ mismatch: (Int, String, Int) -> SardonyxError
    ) throws(SardonyxError) -> Tensor {
        let count = shape.elementCount
        let isComplex = type == .complex64 || type == .complex128
        let expected = type.fileBitCount < 8 ? Self.fileByteCount(count, type) : isComplex ? 2 * count : count
        guard data.count == expected else { throw mismatch(data.count, "elements", expected) }
        let tensor = try Tensor(uninitialized: type, shape: shape)
        let target = tensor.storage.base

        func copy<Source, Target: FixedWidthInteger>(_: Source.Type, as: Target.Type)
        where Source: FixedWidthInteger {
            let source = UnsafeBufferPointer(start: data.data?.assumingMemoryBound(to: Source.self), count: count)
            let to = target.assumingMemoryBound(to: Target.self)
            for (index, value) in source.enumerated() { to[index] = Target(truncatingIfNeeded: value) }
        }

        switch (data.kind, type) {
        case (SDX_DATA_FLOAT, .float), (SDX_DATA_FLOAT, .complex64), (SDX_DATA_DOUBLE, .double),
            (SDX_DATA_DOUBLE, .complex128), (SDX_DATA_INT64, .int64), (SDX_DATA_UINT64, .uint64),
            (SDX_DATA_INT32, .int32):
            if let source = data.data { memcpy(target, source, tensor.byteCount) }
        case (SDX_DATA_UINT64, .uint32): copy(UInt64.self, as: UInt32.self)
        case (SDX_DATA_INT32, _) where type.fileBitCount < 8:
            let packed = UnsafeBufferPointer(start: data.data?.assumingMemoryBound(to: Int32.self), count: data.count)
            let bytes = packed.map { UInt8(truncatingIfNeeded: $0) }
            bytes.withUnsafeBytes { Self.unpack($0, into: tensor) }
        case (SDX_DATA_INT32, .bool):
            let source = UnsafeBufferPointer(start: data.data?.assumingMemoryBound(to: Int32.self), count: count)
            let to = target.assumingMemoryBound(to: UInt8.self)
            for (index, value) in source.enumerated() { to[index] = value == 0 ? 0 : 1 }
        case (SDX_DATA_INT32, _) where type.byteCount == 1: copy(Int32.self, as: UInt8.self)
        case (SDX_DATA_INT32, _) where type.byteCount == 2: copy(Int32.self, as: UInt16.self)
        default:
            throw SardonyxError(.malformed, "a tensor of \(type.name) has its elements in another type's field")
        }
        return tensor
    }

    /// A sparse tensor made dense.
    func readSparse(_ sparse: UnsafePointer<sdx_sparse_tensor>) throws(SardonyxError) -> (name: String, tensor: Tensor)
    {
        guard let valuesProto = sdx_sparse_tensor_values(sparse), let indicesProto = sdx_sparse_tensor_indices(sparse)
        else { throw SardonyxError(.malformed, "a sparse tensor has no values or no indices") }
        let name = sdx_tensor_name(valuesProto).text
        let values = try read(valuesProto).aligned()
        let indices = try read(indicesProto)
        let shape = try Self.shape(sdx_sparse_tensor_dims(sparse).array, of: name, values.dataType)
        guard values.dataType != .string, indices.dataType == .int64, let positions = indices.integers,
            values.shape.count == 1
        else { throw SardonyxError(.unsupported, "sparse tensor '\(name)' has strings, or indices that are no int64") }
        guard shape.elementCount <= Self.denseLimit || shape.elementCount / Self.denseLimit <= values.count else {
            throw SardonyxError(
                .unsupported,
                "sparse tensor '\(name)' of \(shape) has \(values.count) values; made dense it is too large")
        }
        let dense = try Tensor(dataType: values.dataType, shape: shape)
        let size = values.dataType.byteCount
        let strides = shape.rowMajorStrides
        let width = indices.shape.count == 2 ? indices.shape[1] : 1
        guard positions.count == values.count * width, indices.shape.count == 1 || width == shape.count else {
            throw SardonyxError(
                .malformed, "sparse tensor '\(name)' has \(positions.count) indices for \(values.count) values")
        }
        for element in 0..<values.count {
            var offset = positions[element * width]
            if indices.shape.count == 2 {
                offset = 0
                for axis in 0..<width {
                    let index = positions[element * width + axis]
                    guard index >= 0, index < shape[axis] else {
                        offset = -1
                        break
                    }
                    offset += index * strides[axis]
                }
            }
            guard offset >= 0, offset < dense.count else {
                throw SardonyxError(.malformed, "sparse tensor '\(name)' has an index outside \(shape)")
            }
            memcpy(dense.storage.base + offset * size, values.storage.base + element * size, size)
        }
        return (name, dense)
    }
}
