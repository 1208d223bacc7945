import CKernels
import SardonyxGraph
import Synchronization
import Testing

@testable import SardonyxOperators

/// The choice by measured times, with times and clocks of the tests' own.
@Suite struct ConvolutionChoiceTests {
    /// 3 × 3 with padding, in blocks on both sides.
    private static func choice(channels: Int64, side: Int64) -> ConvolutionChoice {
        ConvolutionChoice(
            form: sdx_conv_params(
                n: 1, c: channels, k: channels, groups: 1, in: (1, side, side), out: (1, side, side),
                kernel: (1, 3, 3), stride: (1, 1, 1), dilation: (1, 1, 1), pad_begin: (0, 1, 1),
                activation: sdx_activation(), repeats: (0, 0, 0)), sides: SDX_CONV_C8_TO_C8)
    }

    /// Milliseconds of blocks and F(4) for 512 channels, whose weights take 9 and 38 MB, as estimated and as measured, in a
    /// network that takes half a nanosecond for each byte it holds: those 28 MB are worth 5.7 ms.
    struct Row: Sendable {
        let estimated: [Double]
        let measured: [Double]
        let chosen: String
    }

    static let rows = [
        Row(estimated: [10, 2], measured: [1, 2], chosen: "blocks"),
        Row(estimated: [1, 10], measured: [10, 2], chosen: "winograd 4"),
        // A little slower, for memory's sake: as without measuring, if that is how it is chosen then.
        Row(estimated: [1, 10], measured: [2.4, 2], chosen: "blocks"),
        Row(estimated: [10, 2], measured: [2.4, 2], chosen: "winograd 4"),
        // A slow machine does not make memory cheap.
        Row(estimated: [1.2, 1], measured: [1200, 1000], chosen: "blocks"),
        Row(estimated: [1.2, 1], measured: [1.2e-6, 1e-6], chosen: "blocks"),
        Row(estimated: [1.2, 1], measured: [0, 0], chosen: "blocks"),
    ]

    @Test(arguments: rows)
    func measuredTimesAreWeighedAsEstimatedOnes(_ row: Row) {
        func times(_ values: [Double]) -> [Double] {
            [values[0] * 1e6, .infinity, .infinity, .infinity, values[1] * 1e6, .infinity, .infinity]
        }
        let chosen = Self.choice(channels: 512, side: 7).tuned(
            times(row.measured), estimates: times(row.estimated), 0.5)
        #expect(ConvolutionChoice.algorithms[chosen].name == row.chosen)
    }

    /// Choices that remember what was measured by a clock that goes on by `step` at each look.
    private final class Choices: KernelChoices {
        let step: UInt64
        let state = Mutex((measured: [MeasuredChoice](), looks: 0, time: UInt64(0)))

        init(step: UInt64) { self.step = step }

        func answer(to question: String, possible: [String]) throws -> String? {
            state.withLock { $0.measured.last?.chosen }
        }

        func measure(_ question: String, _ measure: (_ now: () -> UInt64) throws -> MeasuredChoice) throws {
            let found = try measure {
                state.withLock { state in
                    state.looks += 1
                    state.time += step
                    return state.time
                }
            }
            state.withLock { $0.measured.append(found) }
        }

        func pinning(_ body: () throws -> Void) throws { try body() }
    }

    /// Measuring ends with a clock that stands still, and after one run of each with runs of seconds.
    @Test(arguments: [(UInt64(0), 4, 2000), (2_000_000_000, 1, 20)])
    func measuringEnds(step: UInt64, leastTimes: Int, mostLooks: Int) throws {
        let choices = Choices(step: step)
        var policy = KernelPolicy(choices: choices)
        policy.measuring = {}
        let algorithm = try Self.choice(channels: 32, side: 24).algorithm(policy)
        let (measured, looks) = choices.state.withLock { ($0.measured, $0.looks) }
        #expect(measured.count == 1)
        #expect(measured[0].times.count >= leastTimes)
        #expect(looks <= mostLooks)
        #expect(ConvolutionChoice.name(algorithm) == measured[0].chosen)
        #expect(measured[0].times.contains { $0.name == measured[0].chosen })
    }

    /// What has one kernel, or nothing to compute, is no question.
    @Test(arguments: [(Int64(32), Int64(0)), (0, 24)])
    func nothingToComputeIsNotMeasured(channels: Int64, side: Int64) throws {
        let choices = Choices(step: 1)
        var policy = KernelPolicy(choices: choices)
        policy.measuring = {}
        _ = try Self.choice(channels: channels, side: side).algorithm(policy)
        #expect(choices.state.withLock { $0.measured.isEmpty })
    }
}
