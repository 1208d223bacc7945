import SardonyxGraph
import SardonyxOperators

/// A Resize that repeats the pixels of a map along the axes of space, by whole factors.
struct Upsampling {
    let position: Int
    let node: Node
    let x: ValueID
    /// What it reads.
    let small: TensorSpec
    /// One for each axis.
    let factors: [Int]
}

extension Site {
    /// The upsampling whose result only this node, a convolution, reads, as its input 0.
    /// - Returns: nil where that comes from elsewhere, or shapes are not known.
    /// - Throws: `Refusal` for an upsampling that has to stay.
    func upsampling() throws(Refusal) -> Upsampling? {
        guard node.operatorType == "Conv", node.domain.isEmpty, node.attributes[RepeatedInput.attribute] == nil,
            let (position, resize) = producer(of: node.inputs[0]), resize.operatorType == "Resize",
            resize.domain.isEmpty, let x = resize.inputs[0], let middle = resize.outputs[0],
            let small = graph[x].type.spec, let large = graph[middle].type.spec
        else { return nil }
        guard index.onlyConsumer(of: middle) == self.position else {
            throw Refusal("the larger map is read elsewhere too")
        }
        let scales = resize.inputs.count > 2 ? resize.inputs[2] : nil
        guard scales == nil || constant(scales) != nil,
            let factors = try? RepeatedInput.factors(
                of: resize, from: small.shape, to: large.shape, scales: constant(scales))
        else { throw Refusal("the resizing does more than repeat pixels") }
        guard factors.prefix(2).allSatisfy({ $0 == 1 }) else { throw Refusal("batch or channels are repeated") }
        guard factors.contains(where: { $0 > 1 }) else { return nil }
        return Upsampling(position: position, node: resize, x: x, small: small, factors: factors)
    }
}
