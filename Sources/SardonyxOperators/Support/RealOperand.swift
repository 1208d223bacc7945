import SardonyxGraph

/// An operand whose floating-point type may differ from the other operands': read and written as double.
struct RealOperand: Sendable {
    let slot: Int
    let type: DataType

    init(slot: Int, type: DataType) { (self.slot, self.type) = (slot, type) }

    /// An input as the node has it.
    init(_ context: PreparationContext, input: Int) throws {
        self.init(slot: input, type: try context.input(input).dataType)
    }

    @inline(__always)
    func callAsFunction(_ frame: Frame, _ index: Int) -> Double {
        switch type {
        case .double: frame.input(slot, as: Double.self)[index]
        case .float16: Double(frame.input(slot, as: Float16.self)[index])
        case .bfloat16: frame.input(slot, as: BFloat16.self)[index].double
        default: Double(frame.input(slot, as: Float.self)[index])
        }
    }

    /// Writes an element of the output at `slot`.
    func store(_ frame: Frame, _ index: Int, _ value: Double) {
        switch type {
        case .double: frame.output(slot, as: Double.self)[index] = value
        case .float16: frame.output(slot, as: Float16.self)[index] = Float16(value)
        case .bfloat16: frame.output(slot, as: BFloat16.self)[index] = BFloat16(Float(value))
        default: frame.output(slot, as: Float.self)[index] = Float(value)
        }
    }
}
