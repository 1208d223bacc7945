import Glibc

/// One thread that does jobs in the order they come, so that asynchronous runs block no thread of Swift's pool. It starts
/// with the first job.
final class RunThread: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var jobs: [@Sendable () -> Void] = []
    private var isStarted = false

    init() {
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        // The thread keeps this object alive while it has jobs, so none is left here.
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Adds a job. The thread ends when no job is left, and the next job starts a new one: an idle session has no thread.
    func submit(_ job: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(mutex)
        jobs.append(job)
        let starts = !isStarted
        isStarted = true
        pthread_mutex_unlock(mutex)
        guard starts else { return }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<RunThread>.fromOpaque(argument).takeRetainedValue().work()
                return nil
            }, context.toOpaque())
        if status == 0 {
            pthread_detach(thread)
        } else {
            // No thread to be had: the caller's does the work.
            context.release()
            work()
        }
    }

    private func work() {
        while true {
            pthread_mutex_lock(mutex)
            guard !jobs.isEmpty else {
                isStarted = false
                pthread_mutex_unlock(mutex)
                return
            }
            let job = jobs.removeFirst()
            pthread_mutex_unlock(mutex)
            job()
        }
    }
}
