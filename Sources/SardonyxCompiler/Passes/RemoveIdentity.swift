import SardonyxGraph

/// `Identity` goes, and so do operators that change nothing: `Dropout` in inference, `Cast` to the type it has, `Reshape`,
/// `Transpose` and the like that give the shape they get.
enum RemoveIdentity: Pass {
    static let name = "remove identity"
    static let keepsRounding = true

    static func rewrite(_ site: Site) -> Rewrite {
        let node = site.node
        guard node.domain.isEmpty, let input = node.inputs.first ?? nil, let output = node.outputs.first ?? nil else {
            return .none
        }
        let type = site.graph[input].type
        let isIdentity =
            switch node.operatorType {
            case "Identity": true
            case "Dropout":
                (node.outputs.count < 2 || node.outputs[1] == nil)
                    && (node.inputs.count < 3 || node.inputs[2] == nil
                        || site.constant(node.inputs[2]).map { $0.withUnsafeBytes { $0.first == 0 } } == true)
            case "Cast": type.dataType != nil && type.dataType == (try? node.dataType("to"))
            case "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Expand":
                type.shape?.fixed != nil && type == site.graph[output].type
            case "Transpose":
                node.ints("perm").map { $0 == Array(0..<$0.count) } ?? false
            case "Concat": node.inputs.count == 1
            default: false
            }
        guard isIdentity else { return .none }
        var patch = site.patch("remove \(node.operatorType)")
        patch.replaced[output] = site.resolve(input)
        return .patch(patch)
    }
}
