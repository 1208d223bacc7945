import SardonyxExecution

/// What a run may use.
struct Resources: Sendable {
    /// The threads that work on voxels.
    var pool = WorkerPool.shared
    /// The most bytes that may be held.
    var limit = MemoryLimit()
    /// Where intermediate voxels go.
    let folder: String
}
