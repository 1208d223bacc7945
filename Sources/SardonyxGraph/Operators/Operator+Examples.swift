extension Operator {
    /// Runs every example.
    /// - Throws: what the operator throws, or `SardonyxError` (`invalidValue`) with the example's title and the first
    ///   difference.
    package static func checkExamples() throws {
        for example in examples { try check(example) }
    }

    /// A node that does what an example shows.
    package static func node(for example: Example) -> Node {
        Node(
            schema.name, domain: schema.domain, opset: schema.versions.last ?? 1,
            inputs: example.inputs.indices.map { example.inputs[$0] == nil ? nil : ValueID($0) },
            outputs: example.outputs.indices.map { example.outputs[$0] == nil ? nil : ValueID(1000 + $0) },
            attributes: example.attributes)
    }

    /// Runs an example.
    package static func check(_ example: Example) throws {
        let results = try evaluate(
            EvaluationContext(
                node: node(for: example), inputs: example.inputs.map { $0.map(Datum.tensor) },
                outputTypes: example.outputs.map { _ in .unknown }, environment: PlainEnvironment(), operatorType: self)
        )
        for (index, expected) in example.outputs.enumerated() {
            guard let expected else { continue }
            func fail(_ difference: String) -> SardonyxError {
                SardonyxError(
                    .invalidValue, "\(schema.qualifiedName), \"\(example.title)\", output \(index): \(difference)")
            }
            guard index < results.count, let result = results[index]?.tensor else { throw fail("there is no tensor") }
            guard result.spec == expected.spec else {
                throw fail("it is \(result.spec.text), not \(expected.spec.text)")
            }
            if let difference = result.difference(from: expected, tolerance: example.tolerance) {
                throw fail(difference)
            }
        }
    }
}

extension Tensor {
    /// The first difference in words, or nil when |a − b| ≤ tolerance · (1 + |b|) everywhere.
    fileprivate func difference(from other: Tensor, tolerance: Double) -> String? {
        if dataType == .string { return strings == other.strings ? nil : "\(strings), not \(other.strings)" }
        if let a = doubles, let b = other.doubles {
            for (index, (x, y)) in zip(a, b).enumerated() {
                if x == y || (x.isNaN && y.isNaN) { continue }
                if !(abs(x - y) <= tolerance * (1 + abs(y))) { return "element \(index) is \(x), not \(y)" }
            }
            return nil
        }
        let same = withUnsafeBytes { mine in other.withUnsafeBytes { mine.elementsEqual($0) } }
        return same ? nil : "the bytes differ"
    }
}
