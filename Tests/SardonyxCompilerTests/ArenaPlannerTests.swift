import SardonyxCompiler
import Testing

@Suite struct ArenaPlannerTests {
    @Test(
        arguments: [
            // Nothing, one buffer, two that live together, two that do not.
            ([], [], 0),
            ([Lifetime(size: 10, first: 0, last: 0)], [0], 64),
            ([Lifetime(size: 64, first: 0, last: 1), Lifetime(size: 64, first: 1, last: 2)], [0, 64], 128),
            ([Lifetime(size: 64, first: 0, last: 0), Lifetime(size: 128, first: 1, last: 2)], [0, 0], 128),
            // A small buffer fits the gap that a third leaves.
            (
                [
                    Lifetime(size: 256, first: 0, last: 3), Lifetime(size: 128, first: 0, last: 1),
                    Lifetime(size: 64, first: 0, last: 3), Lifetime(size: 128, first: 2, last: 3),
                ], [0, 256, 384, 256], 448
            ),
            // Empty buffers take no room.
            ([Lifetime(size: 0, first: 0, last: 5), Lifetime(size: 64, first: 0, last: 5)], [0, 0], 64),
        ] as [([Lifetime], [Int], Int)])
    func placements(lifetimes: [Lifetime], offsets: [Int], size: Int) {
        let placement = ArenaPlanner.place(lifetimes)
        #expect(placement.offsets == offsets)
        #expect(placement.size == size)
    }

    /// Short lives on a short way, and short and long ones on a long way.
    @Test(arguments: 1...40, [(60, 8), (3000, 2000)] as [(steps: Int, life: Int)])
    func buffersThatLiveTogetherNeverOverlap(seed: UInt64, _ lives: (steps: Int, life: Int)) {
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let lifetimes = (0..<120).map { _ in
            let first = random(lives.steps)
            return Lifetime(size: random(5000), first: first, last: first + random(random(2) == 0 ? 8 : lives.life))
        }
        let placement = ArenaPlanner.place(lifetimes)
        for (i, a) in lifetimes.enumerated() {
            #expect(placement.offsets[i] + a.size <= placement.size)
            for (j, b) in lifetimes.enumerated().dropFirst(i + 1)
            where a.first <= b.last && b.first <= a.last && a.size > 0 && b.size > 0 {
                #expect(
                    placement.offsets[i] + a.size <= placement.offsets[j]
                        || placement.offsets[j] + b.size <= placement.offsets[i])
            }
        }
        let bound = ArenaPlanner.lowerBound(lifetimes)
        #expect(placement.size >= bound)
        #expect(placement.size <= bound * 5 / 4)
    }
}
