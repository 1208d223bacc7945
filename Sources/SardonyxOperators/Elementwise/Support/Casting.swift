import SardonyxGraph

/// What Cast and CastLike share.
enum Casting {
    static let attributes = [AttributeSpec("round_mode", .string), AttributeSpec("saturate", .int)]
    static let types: TypeSet = .float8s + .subBytes + .numbers + [.bool, .string]

    static func conversion(_ node: Node, from source: DataType, to target: DataType) throws -> ElementConversion {
        var conversion = ElementConversion(from: source, to: target)
        conversion.saturates = node.flag("saturate", default: true)
        let mode = node.string("round_mode", default: "up")
        guard let rounding = SmallFloat.ScaleRounding(rawValue: mode) else {
            throw SardonyxError(
                .invalidModel, "attribute 'round_mode' is '\(mode)'; it may be 'up', 'down' or 'nearest'")
        }
        conversion.rounding = rounding
        return conversion
    }

    static func infer(_ context: inout InferenceContext, to target: DataType) throws {
        _ = try conversion(context.node, from: target, to: target)
        context.set(0, target, context.shape(0))
        switch target {
        case .int64, .int32, .bool:
            context.combineElements { operands in
                guard target == .bool else { return operands[0] }
                return operands[0].value.map { .fixed($0 == 0 ? 0 : 1) } ?? .unknown
            }
        default: break
        }
    }

    static func prepare(_ context: PreparationContext, to target: DataType) throws -> Kernel {
        let spec = try context.input(0)
        if spec.dataType == .string || target == .string { throw DataType.string.unsupported }
        return try conversion(context.node, from: spec.dataType, to: target).kernel(count: spec.elementCount)
    }

    /// The result where either side is strings, else nil.
    static func castStrings(_ context: EvaluationContext, to target: DataType) throws -> [Datum?]? {
        let input = try context.tensor(0)
        if target == .string {
            return [.tensor(Tensor(shape: input.shape, strings: try NumberText.texts(of: input)))]
        }
        if input.dataType == .string {
            let conversion = try conversion(context.node, from: .string, to: target)
            return [.tensor(try NumberText.tensor(input.strings, shape: input.shape, conversion))]
        }
        return nil
    }
}
