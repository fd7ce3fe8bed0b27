using System.Collections.Immutable;

namespace Crust.Spec;

internal static class SeedKeys
{
    private const int MostFiles = 100;

    private static readonly ValueType<ImmutableArray<string>> Paths = ListType.Of(ValueTypes.Given(ValueTypes.FilePath), MostFiles);
    private static readonly ValueType<ImmutableArray<string>> Words = ListType.Of(ValueTypes.Given(ValueTypes.Text), MostFiles);

    /// <summary>All of them, in the order of the reference page.</summary>
    public static IEnumerable<SpecKey> All() => [.. Seed(), .. Palette(), .. Ssh()];

    private static IEnumerable<SpecKey> Seed() =>
    [
        SpecKey.Of("seed.kind", ValueTypes.Choice<SeedKind>(), s => s.Seed.Kind, (s, v) => With(s, x => x with { Kind = v }),
            "How the installer gets its configuration.", "--seed-kind"),
        SpecKey.Of("seed.profile", SeedValueTypes.Profile, s => s.Seed.Profile, (s, v) => With(s, x => x with { Profile = v }),
            "The family of systems that decides defaults and checks; without it, what the ISO says of itself.", "--seed-profile"),
        SpecKey.Of("seed.userData", Paths, s => s.Seed.UserData, (s, v) => With(s, x => x with { UserData = v }),
            "The installer's own kind of file (a cloud-config, ks.cfg, preseed.cfg, Ignition's JSON); several cloud-configs are merged in their order over the generated one.", "--user-data"),
        SpecKey.Of("seed.substitute", ValueTypes.Boolean, s => s.Seed.Substitute, (s, v) => With(s, x => x with { Substitute = v }),
            "Whether ${NAME} in these files stands for an environment variable.", "--seed-substitute"),
        SpecKey.Of("seed.networkConfig", ValueTypes.FilePath, s => s.Seed.NetworkConfig, (s, v) => With(s, x => x with { NetworkConfig = v }),
            "A cloud-init network-config file, put on the seed as it is.", "--network-config"),
        SpecKey.Of("seed.files", SeedValueTypes.ExtraFiles(MostFiles), s => s.Seed.Files, (s, v) => With(s, x => x with { Files = v }),
            "Files that ride along on the seed volume, or inside the ISO with seed.kind embedded: FILE, or PATH/THERE=FILE.", "--seed-file"),
        SpecKey.Of("seed.fileSystem", ValueTypes.Choice<SeedFileSystem>(), s => s.Seed.FileSystem, (s, v) => With(s, x => x with { FileSystem = v }),
            "The seed volume's file system.", "--seed-file-system"),
        SpecKey.Of("seed.hostname", SeedValueTypes.HostName, s => s.Seed.Hostname, (s, v) => With(s, x => x with { Hostname = v }),
            "The installed system's host name; all images made of it have the same.", "--hostname"),
        SpecKey.Of("seed.ignore", Words, s => s.Seed.Ignore, (s, v) => With(s, x => x with { Ignore = v }),
            "Rules of the seed's checks, by name, that aren't checked.", "--seed-ignore"),
        SpecKey.Of("seed.strict", ValueTypes.Boolean, s => s.Seed.Strict, (s, v) => With(s, x => x with { Strict = v }),
            "Whether warnings of the seed's checks are errors.", "--strict"),
    ];

    private static IEnumerable<SpecKey> Palette() =>
    [
        SpecKey.Of("seed.palette.endpoint", ValueTypes.Text, s => s.Seed.Palette.Endpoint, (s, v) => WithPalette(s, p => p with { Endpoint = v }),
            "Palette's host name (stylus.site.paletteEndpoint).", "--palette-endpoint", "PALETTE_ENDPOINT"),
        SpecKey.Of("seed.palette.registrationUrl", ValueTypes.Text, s => s.Seed.Palette.RegistrationUrl, (s, v) => WithPalette(s, p => p with { RegistrationUrl = v }),
            "Where an edge host registers itself by QR code (stylus.site.registrationURL).", "--registration-url", "REGISTRATION_URL"),
        SpecKey.Of("seed.palette.edgeHostToken", ValueTypes.Secret, s => s.Seed.Palette.EdgeHostToken, (s, v) => WithPalette(s, p => p with { EdgeHostToken = v }),
            "The token with which an edge host registers without anybody's help (stylus.site.edgeHostToken). A secret.", variable: "EDGE_HOST_TOKEN"),
        SpecKey.Of("seed.palette.edgeHostTokenFile", SeedValueTypes.SecretFile, s => s.Seed.Palette.EdgeHostToken, (s, v) => WithPalette(s, p => p with { EdgeHostToken = v }),
            "A file, or a file descriptor (fd:3), that the token is read from.", "--edge-host-token-file", "EDGE_HOST_TOKEN_FILE"),
        SpecKey.Of("seed.palette.projectUid", ValueTypes.Text, s => s.Seed.Palette.ProjectUid, (s, v) => WithPalette(s, p => p with { ProjectUid = v }),
            "The project that an edge host belongs to, by id (stylus.site.projectUid).", "--project-uid"),
        SpecKey.Of("seed.palette.projectName", ValueTypes.Text, s => s.Seed.Palette.ProjectName, (s, v) => WithPalette(s, p => p with { ProjectName = v }),
            "The project that an edge host belongs to, by name (stylus.site.projectName).", "--project-name"),
        SpecKey.Of("seed.palette.name", ValueTypes.Text, s => s.Seed.Palette.Name, (s, v) => WithPalette(s, p => p with { Name = v }),
            "The edge host's name (stylus.site.name). Without it each host has a name of its own, as images that are cloned need.", "--edge-host-name"),
        SpecKey.Of("seed.palette.tags", SeedValueTypes.Tags, s => s.Seed.Palette.Tags, (s, v) => WithPalette(s, p => p with { Tags = v }),
            "Tags of an edge host (stylus.site.tags), each as NAME=VALUE.", "--edge-host-tag"),
        SpecKey.Of("seed.palette.httpProxy", ValueTypes.Secret, s => s.Seed.Palette.HttpProxy, (s, v) => WithPalette(s, p => p with { HttpProxy = v }),
            "An edge host's proxy for HTTP (stylus.site.network.httpProxy). It may hold a login, so it is kept as a secret.", variable: "EDGE_HTTP_PROXY"),
        SpecKey.Of("seed.palette.httpsProxy", ValueTypes.Secret, s => s.Seed.Palette.HttpsProxy, (s, v) => WithPalette(s, p => p with { HttpsProxy = v }),
            "An edge host's proxy for HTTPS (stylus.site.network.httpsProxy). It may hold a login, so it is kept as a secret.", variable: "EDGE_HTTPS_PROXY"),
        SpecKey.Of("seed.palette.noProxy", ValueTypes.Text, s => s.Seed.Palette.NoProxy, (s, v) => WithPalette(s, p => p with { NoProxy = v }),
            "What an edge host reaches without a proxy, with commas (stylus.site.network.noProxy).", "--edge-no-proxy", "EDGE_NO_PROXY"),
        SpecKey.Of("seed.palette.caCerts", Paths, s => s.Seed.Palette.CaCerts, (s, v) => WithPalette(s, p => p with { CaCerts = v }),
            "Files with certificates that an edge host trusts, in PEM (stylus.site.caCerts).", "--ca-cert"),
        SpecKey.Of("seed.palette.ntpServers", Words, s => s.Seed.Palette.NtpServers, (s, v) => WithPalette(s, p => p with { NtpServers = v }),
            "An edge host's time servers (stylus.site.ntpServers).", "--ntp-server"),
    ];

    private static IEnumerable<SpecKey> Ssh() =>
    [
        SpecKey.Of("seed.ssh.user", ValueTypes.AccountName, s => s.Seed.Ssh.User, (s, v) => WithSsh(s, x => x with { User = v }),
            "An account on the installed system, with sudo; without it, none.", "--ssh-user", "SSH_USER"),
        SpecKey.Of("seed.ssh.password", ValueTypes.Secret, s => s.Seed.Ssh.Password, (s, v) => WithSsh(s, x => x with { Password = v }),
            "The account's password, which leaves Crust only as a SHA-512 crypt hash. A secret.", variable: "SSH_PASSWORD"),
        SpecKey.Of("seed.ssh.passwordFile", SeedValueTypes.SecretFile, s => s.Seed.Ssh.Password, (s, v) => WithSsh(s, x => x with { Password = v }),
            "A file, or a file descriptor (fd:3), that the password is read from.", "--ssh-password-file", "SSH_PASSWORD_FILE"),
        SpecKey.Of("seed.ssh.passwordHash", ValueTypes.Secret, s => s.Seed.Ssh.PasswordHash, (s, v) => WithSsh(s, x => x with { PasswordHash = v }),
            "The password's hash as it stands in /etc/shadow ($6$…, $y$…), in place of the password. A secret.", variable: "SSH_PASSWORD_HASH"),
        SpecKey.Of("seed.ssh.authorizedKeys", ValueTypes.PublicKeys, s => s.Seed.Ssh.AuthorizedKeys, (s, v) => WithSsh(s, x => x with { AuthorizedKeys = v }),
            "Public keys in OpenSSH's format that may log in to the account, each itself or as the path of its .pub file.", "--ssh-key"),
    ];

    private static BuildSpec With(BuildSpec s, Func<SeedSpec, SeedSpec> change) => s with { Seed = change(s.Seed) };

    private static BuildSpec WithPalette(BuildSpec s, Func<PaletteSpec, PaletteSpec> change) => With(s, seed => seed with { Palette = change(seed.Palette) });

    private static BuildSpec WithSsh(BuildSpec s, Func<SshSpec, SshSpec> change) => With(s, seed => seed with { Ssh = change(seed.Ssh) });
}
