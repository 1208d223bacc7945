// PNG through libpng. Its errors jump (setjmp); the jump starts and ends in this file.
#define _GNU_SOURCE
#include "CImageFormats.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void on_error(png_structp png, png_const_charp text) {
    char *message = png_get_error_ptr(png);
    snprintf(message, CIF_MESSAGE_SIZE, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

int cif_png_write_rgb8(const char *path, const uint8_t *pixels, uint32_t width, uint32_t height, char *message) {
    FILE *file = fopen(path, "wbe");
    if (!file) {
        snprintf(message, CIF_MESSAGE_SIZE, "%s", strerror(errno));
        return CIF_ERROR_OPEN;
    }
    // volatile: read again after the jump back to setjmp.
    png_structp volatile png = png_create_write_struct(PNG_LIBPNG_VER_STRING, message, on_error, on_warning);
    png_infop volatile info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_structp p = png;
        if (p) png_destroy_write_struct(&p, NULL);
        fclose(file);
        snprintf(message, CIF_MESSAGE_SIZE, "out of memory");
        return CIF_ERROR_MEMORY;
    }
    int code = CIF_OK;
    if (setjmp(png_jmpbuf(png))) {
        code = CIF_ERROR_WRITE;
    } else {
        png_init_io(png, file);
        png_set_IHDR(
            png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
            PNG_FILTER_TYPE_DEFAULT);
        png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
        png_write_info(png, info);
        for (uint32_t row = 0; row < height; row++) png_write_row(png, pixels + (size_t)row * width * 3);
        png_write_end(png, info);
    }
    png_structp p = png;
    png_infop i = info;
    png_destroy_write_struct(&p, &i);
    if (code == CIF_OK && (fflush(file) != 0 || fsync(fileno(file)) != 0)) {
        snprintf(message, CIF_MESSAGE_SIZE, "%s", strerror(errno));
        code = CIF_ERROR_WRITE;
    }
    if (fclose(file) != 0 && code == CIF_OK) {
        snprintf(message, CIF_MESSAGE_SIZE, "%s", strerror(errno));
        code = CIF_ERROR_WRITE;
    }
    return code;
}
