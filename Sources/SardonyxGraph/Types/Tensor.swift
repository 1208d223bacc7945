import Glibc

/// A dense array of one element type, row-major. A value: copies share memory until one of them is written.
public struct Tensor: Sendable {
    /// The type of all elements.
    public let dataType: DataType
    /// Extents, outermost first; empty for a scalar.
    public let shape: [Int]
    package var storage: TensorStorage

    package init(dataType: DataType, shape: [Int], storage: TensorStorage) {
        self.dataType = dataType
        self.shape = shape
        self.storage = storage
    }

    /// A tensor of zeros, or of empty strings.
    /// - Throws: `SardonyxError` (`invalidInput`) when an extent is negative or the size overflows, (`memory`) when
    ///   there is not enough.
    public init(dataType: DataType, shape: [Int]) throws(SardonyxError) {
        try self.init(uninitialized: dataType, shape: shape)
        memset(storage.base, 0, storage.byteCount)
    }

    /// Memory that the caller fills.
    package init(uninitialized dataType: DataType, shape: [Int]) throws(SardonyxError) {
        let count = try Tensor.elementCount(of: shape)
        self.dataType = dataType
        self.shape = shape
        if dataType == .string {
            storage = TensorStorage(strings: [String](repeating: "", count: count))
            return
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: dataType.byteCount)
        if overflow { throw SardonyxError(.invalidInput, "a tensor of shape \(shape) is too large") }
        storage = try TensorStorage(byteCount: bytes)
    }

    private static func elementCount(of shape: [Int]) throws(SardonyxError) -> Int {
        guard let count = shape.checkedElementCount else {
            throw SardonyxError(.invalidInput, "a tensor cannot have the shape \(shape)")
        }
        return count
    }

    /// A tensor with these elements in row-major order.
    /// - Precondition: `scalars.count` is the product of `shape`'s extents.
    public init<S: Scalar>(shape: [Int], scalars: [S]) {
        precondition(
            shape.checkedElementCount == scalars.count, "shape \(shape) does not hold \(scalars.count) elements")
        self.dataType = S.dataType
        self.shape = shape
        do {
            storage = try TensorStorage(byteCount: scalars.count * MemoryLayout<S>.stride)
        } catch {
            preconditionFailure("\(error)")
        }
        scalars.withUnsafeBytes { source in
            if let from = source.baseAddress { memcpy(storage.base, from, source.count) }
        }
    }

    /// A scalar: a tensor without axes.
    public init<S: Scalar>(_ scalar: S) { self.init(shape: [], scalars: [scalar]) }

    /// A tensor of strings in row-major order.
    /// - Precondition: `strings.count` is the product of `shape`'s extents.
    public init(shape: [Int], strings: [String]) {
        precondition(
            shape.checkedElementCount == strings.count, "shape \(shape) does not hold \(strings.count) strings")
        self.dataType = .string
        self.shape = shape
        storage = TensorStorage(strings: strings)
    }

    /// The number of elements.
    public var count: Int { shape.elementCount }
    package var byteCount: Int { count * dataType.byteCount }
    package var spec: TensorSpec { TensorSpec(dataType: dataType, shape: shape) }

    /// The strings of a tensor of strings; empty for other types.
    public var strings: [String] { storage.strings }

    /// The elements in row-major order.
    /// - Precondition: `S` is the tensor's element type.
    public func scalars<S: Scalar>(_ type: S.Type = S.self) -> [S] {
        precondition(S.dataType == dataType, "the tensor holds \(dataType.name), not \(S.dataType.name)")
        return [S](unsafeUninitializedCapacity: count) { buffer, initialized in
            // SAFETY: the storage holds `count` elements; memcpy needs no alignment.
            if let to = buffer.baseAddress { memcpy(to, storage.base, count * MemoryLayout<S>.stride) }
            initialized = count
        }
    }

    /// The bytes as they are in memory, for as long as the closure runs.
    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        // SAFETY: the storage lives until the closure returns.
        try withExtendedLifetime(storage) {
            try body(UnsafeRawBufferPointer(start: storage.base, count: dataType == .string ? 0 : byteCount))
        }
    }

    /// The elements where they are, without a copy, for as long as the closure runs.
    /// - Precondition: `S` is the tensor's element type.
    public func withUnsafeBytes<S: Scalar, R>(
        of type: S.Type, _ body: (UnsafeBufferPointer<S>) throws -> R
    ) throws -> R {
        precondition(S.dataType == dataType, "the tensor holds \(dataType.name), not \(S.dataType.name)")
        let tensor = try aligned()
        return try withExtendedLifetime(tensor.storage) {
            // SAFETY: `aligned` gives storage whose base is aligned for every element type.
            let start = UnsafeRawPointer(tensor.storage.base).assumingMemoryBound(to: S.self)
            return try body(UnsafeBufferPointer(start: start, count: count))
        }
    }

    /// Writes the bytes in place, after a copy when they are shared or mapped. A tensor of strings has no bytes.
    public mutating func withUnsafeMutableBytes<R>(
        _ body: (UnsafeMutableRawBufferPointer) throws -> R
    ) throws -> R {
        if dataType == .string { return try body(UnsafeMutableRawBufferPointer(start: nil, count: 0)) }
        if !isHeldAlone() { storage = try copiedStorage() }
        return try withExtendedLifetime(storage) {
            try body(UnsafeMutableRawBufferPointer(start: storage.base, count: storage.byteCount))
        }
    }

    /// Whether the bytes may be written without anybody else seeing it.
    package mutating func isHeldAlone() -> Bool { storage.isWritable && isKnownUniquelyReferenced(&storage) }

    private func copiedStorage(for purpose: TensorStorage.Purpose = .value) throws(SardonyxError) -> TensorStorage {
        let copy = try TensorStorage(byteCount: byteCount, for: purpose)
        memcpy(copy.base, storage.base, byteCount)
        return copy
    }

    /// Whether the elements are at an address aligned to 16 bytes at least, or have none.
    package var isAligned: Bool { dataType == .string || Int(bitPattern: storage.base) % 16 == 0 }

    /// The same type and shape on other bytes.
    package func with(_ storage: TensorStorage) -> Tensor { Tensor(dataType: dataType, shape: shape, storage: storage) }

    /// The same elements at an address aligned to 16 bytes at least; mapped files give no such promise.
    package func aligned(for purpose: TensorStorage.Purpose = .value) throws(SardonyxError) -> Tensor {
        isAligned ? self : with(try copiedStorage(for: purpose))
    }

    /// The same elements under another shape.
    /// - Precondition: both shapes hold the same number of elements.
    public func reshaped(to shape: [Int]) -> Tensor {
        precondition(shape.checkedElementCount == count, "\(self.shape) cannot take the shape \(shape)")
        return Tensor(dataType: dataType, shape: shape, storage: storage)
    }
}
