/* Preloaded where nothing is to be preloaded (the C library's own malloc), so that every measured process is
 * started with an environment and a link map of one shape. */
const char heapmark_noop[] = "nothing";
