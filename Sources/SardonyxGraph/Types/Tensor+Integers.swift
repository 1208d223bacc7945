extension Tensor {
    /// The elements of a tensor of any integer type or bool as `Int`, or nil for other types and values out of range.
    package var integers: [Int]? {
        switch dataType {
        case .int64: scalars(Int64.self).map(Int.init)
        case .int32: scalars(Int32.self).map(Int.init)
        case .int16: scalars(Int16.self).map(Int.init)
        case .int8: scalars(Int8.self).map(Int.init)
        case .uint8: scalars(UInt8.self).map(Int.init)
        case .uint16: scalars(UInt16.self).map(Int.init)
        case .uint32: scalars(UInt32.self).map(Int.init)
        case .uint64:
            scalars(UInt64.self).allSatisfy { $0 <= UInt64(Int.max) } ? scalars(UInt64.self).map(Int.init) : nil
        case .bool: withUnsafeBytes { $0.map { $0 == 0 ? 0 : 1 } }
        default: nil
        }
    }

    /// The elements of a tensor of any floating-point type up to double as `Double`, or nil for other types.
    package var doubles: [Double]? {
        switch dataType {
        case .float: scalars(Float.self).map(Double.init)
        case .double: scalars(Double.self)
        case .float16: scalars(Float16.self).map(Double.init)
        case .bfloat16: scalars(BFloat16.self).map { Double($0.floatValue) }
        default: nil
        }
    }

    /// A one-axis int64 tensor.
    package init(integers: [Int]) { self.init(shape: [integers.count], scalars: integers.map(Int64.init)) }
}
