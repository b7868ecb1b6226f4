/* Linked statically: nothing can be preloaded into it. */
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  char* const text = malloc(100);
  if (text == NULL) return 1;
  puts("static");
  free(text);
  return 0;
}
