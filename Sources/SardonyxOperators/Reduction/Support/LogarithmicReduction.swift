import SardonyxGraph

/// A reduction that is a logarithm. Integers, which opsets before 28 allow, are computed in double and truncated.
protocol LogarithmicReduction: Reduction {}

extension LogarithmicReduction {
    static var keepsSingleElements: Bool { false }

    static func integerKernel(_ layout: ReductionLayout, _ type: DataType) throws -> Kernel {
        try type.visitNumber(RealReduction<Self>(layout: layout))
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        if type.isInteger, context.node.opset >= 28 {
            throw SardonyxError(.invalidModel, "the input is \(type.name); since opset 28 it must be floating point")
        }
        context.set(0, type, try ReductionAxes.infer(context))
    }
}
