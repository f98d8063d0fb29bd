/*
 * Feeds every file of the folders or files named on the command line to a fuzz
 * target once, for builds without libFuzzer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat st;
    uint8_t *bytes;

    if (!file || fstat(fileno(file), &st) != 0) {
        perror(path);
        return 1;
    }
    bytes = malloc((size_t)st.st_size + 1);
    size_t got = fread(bytes, 1, (size_t)st.st_size, file);
    (void)LLVMFuzzerTestOneInput(bytes, got);
    free(bytes);
    (void)fclose(file);
    return 0;
}

int main(int argc, char **argv)
{
    int failures = 0;

    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);

        if (!dir) {
            failures += replay_file(argv[i]);
            continue;
        }
        for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
            char path[4096];

            if (entry->d_name[0] == '.')
                continue;
            (void)snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
            failures += replay_file(path);
        }
        (void)closedir(dir);
    }
    return failures ? 1 : 0;
}
