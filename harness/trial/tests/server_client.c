/* The client of leaky_server.c. Usage: server_client PORT LINES: sends that many lines, waits for each answer
 * and prints how many came. Exits with 1 where it cannot connect or the server goes away. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(server, (struct sockaddr*)&at, sizeof at) != 0) {
    perror("server_client");
    return 1;
  }
  int answered = 0;
  for (; answered < atoi(argv[2]); ++answered) {
    char answer[3];
    if (write(server, "x\n", 2) != 2) break;
    for (ssize_t got = 0, more; got < 3; got += more)
      if ((more = read(server, answer + got, (size_t)(3 - got))) <= 0) {
        fprintf(stderr, "the server went away after %d answers\n", answered);
        return 1;
      }
  }
  printf("answers: %d\n", answered);
  return 0;
}
