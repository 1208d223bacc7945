import SardonyxGraph

/// Which values share memory: views, parts, results that overwrite an input, and inputs that are made in their place in a
/// larger value. A pure function of the steps.
struct SharedStorage {
    /// What a step does with its inputs' memory; nil for a dynamic step.
    struct Step {
        var inputs: [ValueID?]
        var outputs: [ValueID?]
        var kernel: Kernel?
    }

    /// A place inside another value, which may have its own place in a further one.
    private struct Place {
        var root: ValueID
        var byteOffset: Int
    }

    private var places: [ValueID: Place] = [:]
    /// The last step that reads each value, or anything that shares its memory so far.
    private var rootUse: [Int]
    /// Whether a value has memory of its own in the arena.
    private var ownsMemory: [Bool]
    private let results: Set<ValueID>
    private let byteCount: (ValueID) -> Int
    /// The inputs and outputs that `run` does not get, step by step.
    private(set) var madeInPlace: [Set<Int>] = []
    private(set) var sharedParts: [Set<Int>] = []

    /// - Parameters:
    ///   - lastUse: the last step that reads each value; `steps.count` for what is read afterwards.
    ///   - byteCount: of a value that a kernel reads or makes.
    init(_ steps: [Step], lastUse: [Int], results: [ValueID], byteCount: @escaping (ValueID) -> Int) {
        rootUse = lastUse
        ownsMemory = [Bool](repeating: false, count: lastUse.count)
        self.results = Set(results)
        self.byteCount = byteCount
        for (number, step) in steps.enumerated() {
            madeInPlace.append([])
            sharedParts.append([])
            guard let kernel = step.kernel else { continue }
            share(kernel, step, number, lastUse)
            if !kernel.places.isEmpty { placeInputs(kernel, step, number) }
        }
    }

    /// The value in whose memory a value lies, and from which byte on.
    func resolve(_ id: ValueID) -> (root: ValueID, byteOffset: Int) {
        var (root, offset) = (id, 0)
        while let place = places[root] {
            root = place.root
            offset += place.byteOffset
        }
        return (root, offset)
    }

    private mutating func put(_ id: ValueID, in root: ValueID, at offset: Int, until use: Int) {
        places[id] = Place(root: root, byteOffset: offset)
        rootUse[Int(root.index)] = max(rootUse[Int(root.index)], use)
        ownsMemory[Int(id.index)] = false
    }

    private mutating func share(_ kernel: Kernel, _ step: Step, _ number: Int, _ lastUse: [Int]) {
        var claimed: [ValueID] = []
        for (index, output) in step.outputs.enumerated() {
            guard let output else { continue }
            let use = max(lastUse[Int(output.index)], number)
            if let source = kernel.views[index], let input = step.inputs[source] {
                let (root, offset) = resolve(input)
                put(output, in: root, at: offset, until: use)
                continue
            }
            if let part = kernel.parts[index], let input = step.inputs[part.input], !results.contains(output) {
                let (root, offset) = resolve(input)
                if ownsMemory[Int(root.index)], !results.contains(root) {
                    put(output, in: root, at: offset + part.byteOffset, until: use)
                    sharedParts[number].insert(index)
                    continue
                }
            }
            ownsMemory[Int(output.index)] = true
            if results.contains(output) { continue }
            let candidates = kernel.inPlace[index] ?? []
            for candidate in candidates {
                guard candidate < step.inputs.count, let input = step.inputs[candidate] else { continue }
                let (root, offset) = resolve(input)
                guard offset == 0, ownsMemory[Int(root.index)], rootUse[Int(root.index)] == number,
                    !results.contains(root), byteCount(input) == byteCount(output),
                    byteCount(root) == byteCount(output),
                    // Another input in the same memory would be read after it was overwritten, unless it is the same
                    // value and read element by element too.
                    step.inputs.enumerated().allSatisfy({ other, value in
                        value.map { resolve($0).root != root || $0 == input && candidates.contains(other) } ?? true
                    }),
                    !claimed.contains(root)
                else { continue }
                put(output, in: root, at: 0, until: use)
                claimed.append(root)
                break
            }
        }
    }

    /// Moves the memory of inputs into the output that they are copied to, whole buffers at a time.
    private mutating func placeInputs(_ kernel: Kernel, _ step: Step, _ number: Int) {
        guard let output = step.outputs[0], ownsMemory[Int(output.index)], !results.contains(output) else { return }
        struct Copy {
            var input: Int
            var range: Range<Int>
            var root: ValueID
            /// Where the root would begin in the output.
            var base: Int
        }
        let copies = kernel.places.sorted { $0.key < $1.key }.compactMap { index, start -> Copy? in
            guard let input = step.inputs[index] else { return nil }
            let (root, offset) = resolve(input)
            return Copy(input: index, range: start..<start + byteCount(input), root: root, base: start - offset)
        }
        for root in Set(copies.map(\.root)).sorted(by: { $0.index < $1.index }) {
            guard let base = copies.first(where: { $0.root == root })?.base, base >= 0, root != output,
                ownsMemory[Int(root.index)], !results.contains(root)
            else { continue }
            let region = base..<base + byteCount(root)
            // Nothing else may be written there, and no other place may want the root's bytes.
            guard region.upperBound <= byteCount(output),
                copies.allSatisfy({ ($0.root == root && $0.base == base) != !$0.range.overlaps(region) }),
                copies.filter({ $0.root == root }).allSatisfy({ $0.base == base }),
                copies.filter({ $0.root == root }).reduce(0, { $0 + $1.range.count }) == region.count
            else { continue }
            let use = rootUse[Int(root.index)]
            put(root, in: output, at: base, until: use)
            for copy in copies where copy.root == root { madeInPlace[number].insert(copy.input) }
        }
    }
}
