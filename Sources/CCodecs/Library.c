// Libraries opened on first use.
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "Picture.h"

int cco_library_open(const cco_library *library, void **functions, char *message) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    // The last function is written last, so that its presence tells that all are there.
    void **last = &functions[library->count - 1];
    if (__atomic_load_n(last, __ATOMIC_ACQUIRE)) return CCO_OK;
    int code = CCO_OK;
    pthread_mutex_lock(&lock);
    if (!__atomic_load_n(last, __ATOMIC_ACQUIRE)) {
        // RTLD_LOCAL: the libraries of a program that has us as a plugin stay its own.
        void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
        if (!handle) {
            code = cco_fail(
                CCO_ERROR_LIBRARY, message, "%s is not there; install the Debian package %s", library->file,
                library->package);
        }
        for (size_t i = 0; handle && i < library->count; i++) {
            void *function = dlsym(handle, library->symbols[i]);
            if (!function) {
                code = cco_fail(
                    CCO_ERROR_LIBRARY, message, "%s has no function %s; install a newer Debian package %s",
                    library->file, library->symbols[i], library->package);
                dlclose(handle);
                break;
            }
            __atomic_store_n(&functions[i], function, __ATOMIC_RELEASE);
        }
    }
    pthread_mutex_unlock(&lock);
    return code;
}
