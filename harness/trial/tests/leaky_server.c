/* A server for tests: listens on 127.0.0.1, answers each line with "ok". It keeps (mode "leak") every block
 * that a line made it allocate, or frees all but every 64th (mode "fragment"), so that what it holds after a
 * load is known. Usage: leaky_server PORT leak|fragment|die|stay     die: aborts at line 100; stay: ignores
 * SIGTERM */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kBlocks = 1 << 17, kBytes = 512 };
static void* blocks[kBlocks];

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const char* mode = argv[2];
  if (strcmp(mode, "stay") == 0) signal(SIGTERM, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  const int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr*)&at, sizeof at) != 0 || listen(listener, 16) != 0) {
    perror("leaky_server");
    return 1;
  }
  size_t used = 0, lines = 0;
  for (;;) {
    const int client = accept(listener, NULL, NULL);
    char text[4096];
    for (ssize_t got; (got = read(client, text, sizeof text)) > 0;)
      for (ssize_t i = 0; i < got; ++i) {
        if (text[i] != '\n') continue;
        if (++lines == 100 && strcmp(mode, "die") == 0) abort();
        for (int block = 0; block < 64 && used < kBlocks; ++block)
          memset(blocks[used++] = malloc(kBytes), 1, kBytes);
        if (strcmp(mode, "fragment") == 0)
          for (size_t block = used - 64; block < used; ++block)
            if (block % 64 != 0) free(blocks[block]);
        if (write(client, "ok\n", 3) != 3) break;
      }
    close(client);
  }
}
