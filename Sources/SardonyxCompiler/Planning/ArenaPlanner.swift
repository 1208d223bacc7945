/// A buffer that has to exist from one step to another, both included.
package struct Lifetime: Sendable, Hashable {
    /// In bytes.
    package var size: Int
    package var first: Int
    package var last: Int

    package init(size: Int, first: Int, last: Int) {
        self.size = size
        self.first = first
        self.last = last
    }

    func overlaps(_ other: Lifetime) -> Bool { first <= other.last && other.first <= last }
}

/// Places buffers in one block of memory so that buffers that live at one time never overlap.
package enum ArenaPlanner {
    package static let alignment = 64

    /// Where each buffer goes, and the size of the block, all in bytes.
    package struct Placement: Sendable, Hashable {
        package var offsets: [Int]
        package var size: Int
    }

    /// Largest buffers first, each into the tightest gap that is free for its whole life.
    ///
    /// Compared with placing by first use, this keeps the large activations of a U-Net's outer levels side by side
    /// instead of stacked on what lies between them.
    package static func place(_ lifetimes: [Lifetime]) -> Placement {
        var offsets = [Int](repeating: 0, count: lifetimes.count)
        var placed = PlacedByTime(lifetimes)
        var size = 0
        let order = lifetimes.indices.sorted {
            (lifetimes[$0].size, lifetimes[$1].first, $1) > (lifetimes[$1].size, lifetimes[$0].first, $0)
        }
        for index in order {
            let need = rounded(lifetimes[index].size)
            if need == 0 { continue }
            var best: (offset: Int, gap: Int)?
            var end = 0
            placed.forEachOverlapping(index) { other, start in
                let gap = start - end
                if gap >= need, best.map({ gap < $0.gap }) ?? true { best = (end, gap) }
                end = max(end, start + rounded(lifetimes[other].size))
            }
            offsets[index] = best?.offset ?? end
            size = max(size, offsets[index] + need)
            placed.insert(index, at: offsets[index])
        }
        return Placement(offsets: offsets, size: size)
    }

    /// No placement can be smaller: the largest sum of sizes alive at one step.
    package static func lowerBound(_ lifetimes: [Lifetime]) -> Int {
        let steps = lifetimes.map(\.last).max().map { $0 + 1 } ?? 0
        var change = [Int](repeating: 0, count: steps + 1)
        for lifetime in lifetimes {
            change[lifetime.first] += rounded(lifetime.size)
            change[lifetime.last + 1] -= rounded(lifetime.size)
        }
        var alive = 0
        var most = 0
        for delta in change {
            alive += delta
            most = max(most, alive)
        }
        return most
    }

    static func rounded(_ size: Int) -> Int { (size + alignment - 1) / alignment * alignment }
}

/// Placed buffers by the stretches of steps in which they live, so that a long graph's buffers are not compared with
/// all others. Those that live long, such as what a backward pass reads again, stand in one list by their offsets instead.
private struct PlacedByTime {
    private typealias Placed = (index: Int, offset: Int)

    private static let stretch = 64
    /// The most stretches that a buffer stands in.
    private static let shortLife = 4
    private let lifetimes: [Lifetime]
    private var buckets: [[Placed]]
    private var longLived: [Placed] = []
    /// The last query that met a buffer, because one buffer may be in several buckets.
    private var met: [Int]

    init(_ lifetimes: [Lifetime]) {
        self.lifetimes = lifetimes
        buckets = [[Placed]](repeating: [], count: (lifetimes.map(\.last).max() ?? 0) / Self.stretch + 1)
        met = [Int](repeating: -1, count: lifetimes.count)
    }

    private func stretches(of index: Int) -> ClosedRange<Int> {
        lifetimes[index].first / Self.stretch...lifetimes[index].last / Self.stretch
    }

    mutating func insert(_ index: Int, at offset: Int) {
        let stretches = stretches(of: index)
        guard stretches.count > Self.shortLife else {
            for bucket in stretches { buckets[bucket].append((index, offset)) }
            return
        }
        var (low, high) = (0, longLived.count)
        while low < high {
            let middle = (low + high) / 2
            if longLived[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        longLived.insert((index, offset), at: low)
    }

    /// Calls `body` with the placed buffers that live at some step together with this one, in the order of their offsets.
    mutating func forEachOverlapping(_ index: Int, _ body: (_ other: Int, _ offset: Int) -> Void) {
        let own = lifetimes[index]
        var short: [Placed] = []
        for bucket in stretches(of: index) {
            for other in buckets[bucket] where met[other.index] != index {
                met[other.index] = index
                if lifetimes[other.index].overlaps(own) { short.append(other) }
            }
        }
        short.sort { $0.offset < $1.offset }
        var next = 0
        for other in longLived where lifetimes[other.index].overlaps(own) {
            while next < short.count, short[next].offset <= other.offset {
                body(short[next].index, short[next].offset)
                next += 1
            }
            body(other.index, other.offset)
        }
        for other in short[next...] { body(other.index, other.offset) }
    }
}
