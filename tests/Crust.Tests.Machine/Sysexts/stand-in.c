// Stands in for the programs of Docker and k3s: each says its name, docker asks the daemon, and the daemons do what their units expect of them.
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *path, int type)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + strlen(path);
    if (address.sun_path[0] == '@')
        address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, type, 0);
    return connect(fd, (struct sockaddr *)&address, length) ? -1 : fd;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0], *notify = getenv("NOTIFY_SOCKET");
    if (!strcmp(name, "docker")) {
        char answer[256];
        int fd = connect_to("/run/docker.sock", SOCK_STREAM);
        ssize_t length = fd < 0 ? -1 : read(fd, answer, sizeof answer);
        if (length < 0)
            return perror("docker"), 1;
        return printf("%.*s\n", (int)length, answer), 0;
    }
    if (!notify)
        return printf("%s stands in\n", name), 0;

    // Ready, as sd_notify(3) says it; a unit of Type=notify waits for that.
    int fd = connect_to(notify, SOCK_DGRAM);
    if (fd < 0 || write(fd, "READY=1", 7) != 7)
        return perror("NOTIFY_SOCKET"), 1;
    for (;;) {
        // The first descriptor that socket activation hands over (sd_listen_fds(3)).
        int asked = getenv("LISTEN_FDS") ? accept(3, NULL, NULL) : pause();
        if (asked < 0)
            continue;
        dprintf(asked, "%s answers%s%s", name, argc > 1 ? " with " : "", argc > 1 ? argv[1] : "");
        close(asked);
    }
}
