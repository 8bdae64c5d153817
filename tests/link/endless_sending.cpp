// Loaded before a program: its sockets keep the kernel's own ways, to send for minutes and for the dead. What a test
// must be able to see.
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

extern "C" int setsockopt(int socket, int level, int name, const void* value, socklen_t size) noexcept {
    using function = int (*)(int, int, int, const void*, socklen_t);
    static const auto next = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "setsockopt"));
    const bool bound = (level == SOL_SOCKET && name == SO_LINGER) || (level == IPPROTO_TCP && name == TCP_USER_TIMEOUT);
    return bound ? 0 : next(socket, level, name, value, size);
}
