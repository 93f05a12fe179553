/* SPDX-License-Identifier: BSD-3-Clause */
/* SIGSTOP, SIGCONT, and pipelines in short. */

#include "tests/still.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/request.h"

void still_begin(const struct live *live)
{
    int status = 0;
    kill(live_pid(live), SIGSTOP);
    if (waitpid(live_pid(live), &status, WUNTRACED) < 0 ||
        !WIFSTOPPED(status)) {
        fprintf(stderr, "the server has ended: %x\n", (unsigned)status);
        exit(1);
    }
}

void still_end(const struct live *live)
{
    kill(live_pid(live), SIGCONT);
}

static void add_word(struct request *request, const char *word, size_t len)
{
    size_t times = 0;
    if (len > 2 && word[1] == '*')
        times = strtoul(word + 2, NULL, 10);
    if (len == 2 && memcmp(word, "''", 2) == 0)
        len = 0;
    if (times == 0) {
        request_add(request, word, len);
        return;
    }
    char *many = malloc(times);
    assert(many);
    memset(many, word[0], times);
    request_add(request, many, times);
    free(many);
}

char *still_requests(const char *text, size_t *len)
{
    char *bytes = NULL;
    struct request request = {0};
    *len = 0;
    while (*text) {
        size_t word = strcspn(text, " ;");
        if (word > 0)
            add_word(&request, text, word);
        text += word;
        if (request.argc > 0 && (*text == ';' || !*text)) {
            request_encode(&request, &bytes, len);
            request_release(&request);
        }
        text += *text != '\0';
    }
    return bytes;
}
