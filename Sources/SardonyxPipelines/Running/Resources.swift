import SardonyxExecution

/// What a run may use.
struct Resources: Sendable {
    /// The threads that work on voxels.
    let pool: WorkerPool
    /// The most bytes that may be held.
    let limit: MemoryLimit
    /// Where intermediate voxels go.
    let folder: String
}
