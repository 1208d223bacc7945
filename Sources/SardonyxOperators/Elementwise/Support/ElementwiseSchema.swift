import SardonyxGraph

extension Schema {
    /// One input and one output of the same type.
    static func unary(
        _ name: String, versions: [Int], types: TypeSet = .floats, input: String = "X", output: String = "Y",
        attributes: [AttributeSpec] = []
    ) -> Schema {
        Schema(
            name, versions: versions, inputs: [Parameter(input, "T", types)], outputs: [Parameter(output, "T", types)],
            attributes: attributes)
    }

    /// Two inputs A and B of the same type, and an output of that type or of `result`.
    static func binary(
        _ name: String, versions: [Int], types: TypeSet = .numbers, result: TypeSet? = nil,
        inputs: (String, String) = ("A", "B"), output: String = "C", attributes: [AttributeSpec] = []
    ) -> Schema {
        Schema(
            name, versions: versions, inputs: [Parameter(inputs.0, "T", types), Parameter(inputs.1, "T", types)],
            outputs: [result.map { Parameter(output, "T1", $0) } ?? Parameter(output, "T", types)],
            attributes: attributes)
    }

    /// Any number of inputs of the same type, and an output of that type.
    static func variadic(_ name: String, versions: [Int], types: TypeSet, output: String) -> Schema {
        Schema(
            name, versions: versions, inputs: [Parameter("data_0", "T", types, .variadic)],
            outputs: [Parameter(output, "T", types)])
    }
}

extension Node {
    /// `consumed_inputs` of opsets 1 to 5 told an optimiser of the time which inputs it may overwrite.
    mutating func removeConsumedInputs(opset: Int) {
        if opset < 6 { attributes["consumed_inputs"] = nil }
    }

    /// Opsets before 7 line the axes of B up with those of A from attribute `axis` on when `broadcast` is set, and with the
    /// last axes of A when there is no `axis`. Trailing axes of extent 1 on B make numpy's broadcasting of it.
    mutating func liftLegacyBroadcast(opset: Int, in lifting: inout Lifting) {
        guard opset < 7 else { return }
        removeConsumedInputs(opset: opset)
        let axis = int("axis")
        let broadcasts = flag("broadcast")
        attributes["axis"] = nil
        attributes["broadcast"] = nil
        if broadcasts, let axis, axis >= 0, inputs.count == 2 { alignSecondInput(axis: axis, in: &lifting) }
    }

    /// Gives the second input trailing axes of extent 1, so that its first axis meets the first input's axis `axis`.
    mutating func alignSecondInput(axis: Int, in lifting: inout Lifting) {
        let axes: ValueID
        if let whole = lifting.type(inputs[0]).shape?.count, let part = lifting.type(inputs[1]).shape?.count {
            if part == 0 || axis + part >= whole { return }
            axes = lifting.add(Array(part..<whole - axis), "\(displayName).axes")
        } else {
            // The ranks are known when the plan is made: axes rank(B) ..< rank(A) - axis.
            let ranks = inputs.map { [node = self] input in
                lifting.insertBefore("Size", [lifting.insertBefore("Shape", [input], for: node)], for: node)
            }
            let start = lifting.add(Tensor(Int64(axis)), "\(displayName).axis")
            let step = lifting.add(Tensor(Int64(1)), "\(displayName).step")
            let end = lifting.insertBefore("Sub", [ranks[0], start], for: self)
            axes = lifting.insertBefore("Range", [ranks[1], end, step], for: self)
        }
        inputs[1] = lifting.insertBefore("Unsqueeze", [inputs[1], axes], for: self)
    }
}
