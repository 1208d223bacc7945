/// A MONAI configuration whose references are followed: `@id` and `%id` to other values of the file, `$…` where it is
/// a plain value.
struct MONAIConfiguration {
    let root: Tree
    private let budget = Budget()

    init(root: Tree) { self.root = root }

    /// References may multiply each other; a real bundle follows some hundred.
    private final class Budget { var left = 10_000 }

    /// A value with its references, and those of its elements, followed; text that begins with `$`, `@` or `%` is what
    /// could not be.
    func resolve(_ tree: Tree, level: Int = 0) -> Tree {
        budget.left -= 1
        guard level < 20, budget.left > 0 else { return tree }
        switch tree.content {
        case .scalar(let text, _):
            if text.hasPrefix("@") || text.hasPrefix("%"), let target = find(String(text.dropFirst())) {
                return resolve(target, level: level + 1)
            }
            guard text.hasPrefix("$") else { return tree }
            return PythonValue.read(String(text.dropFirst()), at: tree) { name in
                find(name).map { resolve($0, level: level + 1) }
            } ?? tree
        case .list(let trees): return tree.with(.list(trees.map { resolve($0, level: level + 1) }))
        case .map: return tree
        }
    }

    /// The value at `a#b#0`, or `a::b::0`.
    private func find(_ id: String) -> Tree? {
        var tree = root
        for part in id.split(whereSeparator: { "#:".contains($0) }) {
            if let list = tree.list, let index = Int(part), list.indices.contains(index) {
                tree = list[index]
            } else if let value = tree[String(part)] {
                tree = value
            } else {
                return nil
            }
            if let text = tree.text, text.hasPrefix("@") || text.hasPrefix("%"), String(text.dropFirst()) != id {
                tree = resolve(tree, level: 15)
            }
        }
        return tree
    }

    /// The components of a chain of transforms, nested ones in place, those that are disabled left out.
    func transforms(_ tree: Tree, path: String, level: Int = 0) -> [MONAIComponent] {
        let tree = resolve(tree)
        guard level < 8 else { return [] }
        if let list = tree.list {
            return list.indices.flatMap { transforms(list[$0], path: "\(path)[\($0)]", level: level + 1) }
        }
        let component = MONAIComponent(tree, path: path, configuration: self)
        if component.isDisabled { return [] }
        guard component.name == "Compose", let inner = tree["transforms"] else { return [component] }
        return transforms(inner, path: path + ".transforms", level: level + 1)
    }
}

/// One component of a configuration: a class and its arguments.
struct MONAIComponent {
    let tree: Tree
    let path: String
    private let configuration: MONAIConfiguration

    init(_ tree: Tree, path: String, configuration: MONAIConfiguration) {
        self.tree = tree
        self.path = path
        self.configuration = configuration
    }

    /// The class without its module: "Spacingd" of "monai.transforms.Spacingd"; MONAI's other spellings of dictionary
    /// transforms ("SpacingD", "SpacingDict") are made this one.
    var name: String {
        let name = tree["_target_"]?.text?.split(separator: ".").last.map(String.init) ?? tree.found
        if name.hasSuffix("Dict") { return name.dropLast(4) + "d" }
        return name.hasSuffix("D") ? name.dropLast() + "d" : name
    }

    var isDisabled: Bool { tree["_disabled_"].map { configuration.resolve($0).flag ?? false } ?? false }

    /// An argument with its references followed; `nil` where it is missing or None.
    subscript(argument: String) -> Tree? {
        tree[argument].map { configuration.resolve($0) }.flatMap { $0.isNull ? nil : $0 }
    }

    /// The texts of an argument, one alone or a list; `nil` where it is missing or None.
    func texts(_ argument: String) -> [String]? {
        self[argument].map { tree in (tree.list ?? [tree]).compactMap(\.text) }
    }

    /// The names of the arguments given.
    var arguments: [(key: Tree, value: Tree)] {
        (tree.map ?? []).filter { !($0.key.text ?? "").hasPrefix("_") }
    }
}
