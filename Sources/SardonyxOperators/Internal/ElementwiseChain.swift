import CKernels
import SardonyxGraph

/// Elementwise functions of floats, one after the other, as a `FusedElementwise` computes them.
package struct ElementwiseChain: Sendable {
    /// Values are numbered: the operands, then the steps' results.
    struct Step: Sendable {
        var function: ElementwiseFunction
        var left: Int
        var right: Int
    }

    package private(set) var operands: [ValueID]
    private(set) var steps: [Step]

    /// What an elementwise node computes, or a fused one; nil for others.
    package init?(_ node: Node, _ registry: OperatorRegistry, constant: (ValueID) -> Tensor?) {
        operands = node.inputs.compactMap { $0 }
        if node.domain == FusedElementwise.schema.domain, node.operatorType == FusedElementwise.schema.name {
            guard let steps = Self.steps(of: node) else { return nil }
            self.steps = steps
            return
        }
        guard let type = registry.find(node) as? any ElementwiseOperator.Type,
            let function = type.function(
                of: node,
                constant: { index in
                    index < node.inputs.count ? node.inputs[index].flatMap(constant) : nil
                })
        else { return nil }
        let count = if case .unary = function { 1 } else { 2 }
        // Bounds and other numbers that the function has taken in are no operands.
        let inputs = node.inputs.prefix(count).compactMap { $0 }
        guard inputs.count == count else { return nil }
        operands = inputs[0] == inputs[count - 1] ? [inputs[0]] : inputs
        steps = [Step(function: function, left: 0, right: operands.count - 1)]
    }

    /// This chain with the steps that make one of its operands in front.
    /// - Returns: nil where that is more than one node can hold.
    package func with(_ source: ElementwiseChain, making operand: ValueID) -> ElementwiseChain? {
        var operands: [ValueID] = source.operands
        for id in self.operands where id != operand && !operands.contains(id) { operands.append(id) }
        guard operands.count <= Int(SDX_CHAIN_OPERANDS), source.steps.count + steps.count <= Int(SDX_CHAIN_STEPS) else {
            return nil
        }
        let made = operands.count + source.steps.count - 1
        var result = self
        result.operands = operands
        result.steps = source.steps.map { step in
            step.renumbered { $0 < source.operands.count ? $0 : $0 - source.operands.count + operands.count }
        }
        result.steps += steps.map { step in
            step.renumbered { value in
                if value >= self.operands.count { return value - self.operands.count + made + 1 }
                let id = self.operands[value]
                return id == operand ? made : operands.firstIndex(of: id)!
            }
        }
        return result
    }

    /// The node that computes the chain in another's place.
    package func node(for node: Node) -> Node {
        var fused = Node(
            FusedElementwise.schema.name, domain: FusedElementwise.schema.domain, opset: 1, name: node.name,
            inputs: operands, outputs: [node.outputs[0]], firstOutputName: node.firstOutputName)
        var (functions, parameters): ([Int64], [Float]) = ([], [])
        for step in steps {
            let form = step.form
            functions += [Int64(form.is_binary), Int64(form.op), Int64(form.left), Int64(form.right)]
            parameters += [form.alpha, form.beta]
        }
        fused.attributes["functions"] = .ints(functions)
        fused.attributes["parameters"] = .floats(parameters)
        return fused
    }

    /// What `node(for:)` has written; nil where it could not have.
    static func steps(of node: Node) -> [Step]? {
        let functions = node.ints("functions") ?? []
        let parameters = node.floats("parameters") ?? []
        let count = functions.count / 4
        guard (1...Int(SDX_CHAIN_STEPS)).contains(count), functions.count == 4 * count, parameters.count == 2 * count,
            (1...Int(SDX_CHAIN_OPERANDS)).contains(node.inputs.count)
        else { return nil }
        var steps: [Step] = []
        for index in 0..<count {
            let (isBinary, op) = (functions[4 * index] != 0, functions[4 * index + 1])
            let (left, right) = (functions[4 * index + 2], functions[4 * index + 3])
            let known = 0..<node.inputs.count + index
            let most = isBinary ? SDX_BINARY_COUNT.rawValue : SDX_UNARY_COUNT.rawValue
            guard known.contains(left), known.contains(right), (0..<Int(most)).contains(op) else { return nil }
            let function: ElementwiseFunction =
                isBinary
                ? .binary(sdx_binary_op(UInt32(op)))
                : .unary(sdx_unary_op(UInt32(op)), a: parameters[2 * index], b: parameters[2 * index + 1])
            steps.append(Step(function: function, left: left, right: right))
        }
        return steps
    }
}

extension ElementwiseChain.Step {
    /// What the C kernel takes.
    var form: sdx_chain_step {
        switch function {
        case .unary(let op, let a, let b):
            sdx_chain_step(
                is_binary: 0, op: Int32(op.rawValue), left: Int32(left), right: Int32(left), alpha: a, beta: b)
        case .binary(let op):
            sdx_chain_step(
                is_binary: 1, op: Int32(op.rawValue), left: Int32(left), right: Int32(right), alpha: 0, beta: 0)
        }
    }

    fileprivate func renumbered(_ number: (Int) -> Int) -> Self {
        Self(function: function, left: number(left), right: number(right))
    }
}
