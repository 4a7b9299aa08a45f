/*
 * A folder of the real file system for one test, removed with all it holds.
 */
#ifndef ARMI_TEMP_DIR_H
#define ARMI_TEMP_DIR_H

#define TEMP_DIR_SIZE 256

/* Makes one under $TMPDIR or /tmp; ends the test if it cannot. */
void temp_dir_make(char path[TEMP_DIR_SIZE]);
void temp_dir_remove(const char *path);

#endif
