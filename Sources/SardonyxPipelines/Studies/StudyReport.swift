import SardonyxImaging

/// What a study gave.
public struct StudyReport: Sendable {
    /// The study.
    public var study: Study
    /// Whether its results were there already.
    public var wasDone = false
    /// Why it failed, as `PipelineRunner.run(_:into:progress:)` would have thrown it; `nil` when it did not.
    public var failure: (any Error)?
    /// Measures of each label, of the first volume of a 4D study.
    public var regions: [RegionMeasures] = []
    /// Classes with their probabilities, the most probable first.
    public var classes: [ClassProbability] = []
    /// Boxes that a detector found.
    public var boxes: [DetectedBox] = []
    /// The files that were written, or were there already: in the order of the pipeline's results.
    public var files: [String] = []
    /// Seconds in all.
    public var seconds = 0.0
    /// Seconds of each part of the work, in order: "reading", "network", "around the network", "cleaning",
    /// "writing" (with measures and pictures).
    public var times: [(part: String, seconds: Double)] = []
    /// Bytes that the run was expected to hold at most.
    public var expectedMemory = 0
    /// The hash of the plan that the network ran by; `nil` when nothing ran.
    public var planHash: String?
    /// Tiles that the network saw, flips counted.
    public var tiles = 0

    /// A study that has not run yet.
    public init(_ study: Study) { self.study = study }
}

extension StudyReport {
    /// Adds to the time of a part.
    mutating func spend(_ seconds: Double, on part: String) {
        if let index = times.firstIndex(where: { $0.part == part }) {
            times[index].seconds += seconds
        } else {
            times.append((part, seconds))
        }
    }

    /// Does a part and adds its time.
    @discardableResult
    mutating func timed<T>(_ part: String, _ body: () throws -> T) rethrows -> T {
        let began = Clock.seconds
        defer { spend(Clock.seconds - began, on: part) }
        return try body()
    }
}

/// A class and how probable it is.
public struct ClassProbability: Sendable, Equatable {
    /// The class's index in the model's output.
    public var index: Int
    /// The class's name.
    public var name: String
    /// 0 to 1 after a softmax or sigmoid; the model's own value otherwise.
    public var probability: Double
}

/// A box that a detector found, in voxels of the source image.
public struct DetectedBox: Sendable, Equatable {
    /// The class's index in the model's output.
    public var index: Int
    /// The class's name.
    public var name: String
    /// As the model gives it.
    public var score: Double
    /// Corners in voxel indices; voxel centres have whole ones.
    public var lower: SIMD3<Double>, upper: SIMD3<Double>
}
