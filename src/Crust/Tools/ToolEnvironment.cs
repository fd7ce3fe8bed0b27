using System.Collections.Immutable;

namespace Crust.Tools;

/// <summary>
/// The environment of programs that Crust starts: variables by their names. Crust's own holds whatever its caller has, in a CI job the logins of half a
/// company, and a program that runs a stranger's installer or opens a stranger's disk is to find none of it.
/// </summary>
internal static class ToolEnvironment
{
    /// <summary>How a site's proxy is reached: of programs that download packages or talk to registries. Such a variable may hold a login.</summary>
    public static readonly ImmutableArray<string> Proxies = ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];

    /// <summary>What containers-auth.json(5) and its credential helpers (Amazon's, Google's, Azure's) read, and where certificates are: of programs that talk to registries.</summary>
    public static readonly ImmutableArray<string> Registries =
    [
        .. Proxies, "REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "CONTAINERS_REGISTRIES_CONF",
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG",
        "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_CONFIG_DIR",
    ];

    /// <summary>Where keys and agents are: of programs that sign.</summary>
    public static readonly ImmutableArray<string> Signing = ["GNUPGHOME", "SSH_AUTH_SOCK", "SSH_SK_PROVIDER", "SSH_SK_HELPER", "XDG_RUNTIME_DIR"];

    /// <summary>Where a window opens: of a machine whose screen is shown.</summary>
    public static readonly ImmutableArray<string> Display = ["DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "XDG_DATA_DIRS"];

    // Of all programs. The language isn't among them: Crust reads what tools print.
    private static readonly ImmutableArray<string> Common = ["HOME", "USER", "LOGNAME", "TMPDIR", "TZ"];

    // glibc reserves 64 MiB of address space for each of several threads. On a busy host, where qemu-img has dozens, a GiB (RLIMIT_AS) isn't enough for those: it aborts, "qemu_thread_create: Resource
    // temporarily unavailable".
    private static readonly ImmutableDictionary<string, string> OneArena = ImmutableDictionary<string, string>.Empty.Add("MALLOC_ARENA_MAX", "1");

    /// <param name="command">Says which variables it needs of Crust's own, and which it is given on top.</param>
    /// <param name="own">Crust's own environment.</param>
    /// <param name="searchPath">Where it finds the programs that it starts itself.</param>
    internal static ImmutableDictionary<string, string> Of(ToolCommand command, ImmutableDictionary<string, string> own, ImmutableArray<string> searchPath) =>
        Common.Concat(command.Inherits).Distinct().Where(own.ContainsKey).ToImmutableDictionary(name => name, name => own[name])
            .SetItem("PATH", string.Join(':', searchPath))
            .SetItem("LC_ALL", "C.UTF-8")
            .SetItems(command.Limits?.Memory is null ? [] : OneArena)
            .SetItems(command.Environment);
}
