import SardonyxGraph

extension Tensor {
    /// The same numbers as elements of another type, by the rules of Cast.
    func converted(to type: DataType) throws -> Tensor {
        if type == dataType { return self }
        let results = try ElementConversion(from: dataType, to: type).kernel(count: count).evaluate(
            inputs: [self], outputs: [TensorSpec(dataType: type, shape: shape)], environment: PlainEnvironment())
        guard let result = results.first.flatMap({ $0 }) else { throw type.unsupported }
        return result
    }

    /// The elements of a tensor of numbers of any type.
    func numbers() throws -> [Double] { try converted(to: .double).scalars() }
}
