import SardonyxGraph
import SardonyxOperators

/// Nearest upsampling by whole factors before a convolution: the convolution reads each pixel as often as it would have been
/// repeated, so that the larger map is never made.
///
/// Among the last passes, on graphs with concrete shapes: whether coordinates repeat pixels is seen in their numbers.
enum FuseUpsampling: Pass {
    static let name = "fuse upsampling"
    static let keepsRounding = true

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        do {
            guard let upsampling = try site.upsampling(),
                let result = node.outputs[0].flatMap({ site.graph[$0].type.spec })
            else { return .none }
            guard upsampling.factors.allSatisfy({ $0 <= RepeatedInput.most }) else {
                return .refused("pixels are repeated more than \(RepeatedInput.most) times")
            }
            let specs = node.inputs.map { id in id.flatMap { site.graph[$0].type.spec } }
            guard zip(node.inputs, specs).allSatisfy({ $0 == nil || $1 != nil }),
                let isTaken = try? RepeatedInput.isTaken(
                    by: node, inputs: specs, output: result, constants: node.inputs.map { site.constant($0) }), isTaken
            else { return .refused("the convolution does not take copies of its input in blocks of channels") }
            var patch = site.patch("Resize in Conv", removing: [upsampling.position, site.position])
            var fused = node
            fused.inputs[0] = upsampling.x
            fused.attributes[RepeatedInput.attribute] = .ints(upsampling.factors.dropFirst(2).map(Int64.init))
            patch.added = [fused]
            return .patch(patch)
        } catch {
            return .refused(error.reason)
        }
    }
}
