import SardonyxGraph

// What operators say of layouts, for the cases that many share.
extension PreparationContext {
    /// One offer: the named inputs and the first output have their channels in blocks. Nothing where they cannot.
    func channelBlocks(inputs blocked: [Int] = [0], isPreferred: Bool = false) throws -> [LayoutOffer] {
        guard try blocked.allSatisfy({ try input($0).canBlockChannels }), try output(0).canBlockChannels,
            outputs.dropFirst().allSatisfy({ $0 == nil })
        else { return [] }
        var offer = LayoutOffer(
            inputs: [TensorLayout](repeating: .plain, count: inputs.count),
            outputs: [TensorLayout](repeating: .plain, count: outputs.count), isPreferred: isPreferred)
        for index in blocked { offer.inputs[index] = .channelBlocks }
        offer.outputs[0] = .channelBlocks
        return [offer]
    }

    /// Whether the first output has its channels in blocks.
    var isBlocked: Bool { outputs.first??.layout == .channelBlocks }
}
