#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "CAllocationCount.h"

/// The whole of this program's file, mapped for good; NULL when it cannot be read.
static const char *program_file(void) {
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status;
    void *image = MAP_FAILED;
    if (file >= 0 && fstat(file, &status) == 0)
        image = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (file >= 0) close(file);
    return image == MAP_FAILED ? NULL : image;
}

/// The function at this address of the file's, from its full symbol table; NULL when there is none.
static const char *search(const char *image, uint64_t address) {
    const Elf64_Ehdr *header = (const void *)image;
    const Elf64_Shdr *sections = (const void *)(image + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB) continue;
        const char *names = image + sections[sections[i].sh_link].sh_offset;
        const Elf64_Sym *symbol = (const void *)(image + sections[i].sh_offset);
        const Elf64_Sym *end = symbol + sections[i].sh_size / sizeof *symbol;
        for (; symbol < end; symbol++)
            if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && address - symbol->st_value < symbol->st_size)
                return names + symbol->st_name;
    }
    return NULL;
}

const char *allocation_function_name(const void *address) {
    static const char *image; // one thread reports
    Dl_info info, own;
    // A return address may be the next function's first.
    const char *inside = (const char *)address - 1;
    if (!dladdr(inside, &info)) return NULL;
    if (info.dli_sname) return info.dli_sname;
    if (!dladdr((const void *)(uintptr_t)program_file, &own) || own.dli_fbase != info.dli_fbase) return info.dli_fname;
    if (!image) image = program_file();
    const char *name = image ? search(image, (uint64_t)(inside - (const char *)own.dli_fbase)) : NULL;
    return name ? name : info.dli_fname;
}
