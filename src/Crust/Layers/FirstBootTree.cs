using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Crust.Downloads;
using Crust.Fleet;
using Crust.Spec;
using Crust.Storage;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>
/// What a node needs to find out on its first boot who it is: the script of builder/first-boot with its unit, what it fetches, the table of nodes, keys, and the copy of the
/// repository. Nothing of it is below /usr, which Flatcar can't be given.
/// </summary>
internal static partial class FirstBootTree
{
    /// <summary>The unit's path, relative to the root.</summary>
    public const string Unit = "etc/systemd/system/crust-first-boot.service";

    /// <summary>Where the copy of the repository is.</summary>
    public const string CopyFolder = "opt/crust/copy";

    // On a system whose machine-id is `uninitialized`, systemd enables all units on the first boot unless a preset says otherwise (machine-id(5), systemd.preset(5)): the script enables the right one.
    private const string Presets = "etc/systemd/system-preset/40-crust-first-boot.preset";
    private const string K3sPresets = "disable k3s.service\ndisable k3s-agent.service\n";

    private const string Script = "opt/crust/first-boot";
    private const string Settings = "etc/crust";
    private const string SetupName = "setup.sh";
    private const int MostKeys = 1 << 20;

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The files, and what is probably not meant in the list of nodes.</summary>
    /// <exception cref="CrustException">The nodes file is wrong, a file of keys has none, or the copy has no setup.sh.</exception>
    public static (FileTree Tree, ImmutableArray<NodesWarning> Warnings) Of(LayerSpec.FirstBoot spec)
    {
        var nodes = NodesReader.Read(spec.Nodes);
        var key = spec.Key is null ? null : SigningKey.Read(spec.Key, spec.Where);
        var tree = FileTree.Empty.With([
            TreeEntry.File(Script, Shipped("first-boot"), TreeEntry.Executable),
            TreeEntry.File(Unit, Shipped("crust-first-boot.service")),
            TreeEntry.Symlink("etc/systemd/system/multi-user.target.wants/crust-first-boot.service", "../crust-first-boot.service"),
            TreeEntry.File($"{Settings}/{NodesTable.FileName}", TreeContent.Of(NodesTable.Of(nodes))),
            .. nodes.Cluster is ClusterKind.K3s ? new[] { TreeEntry.File(Presets, TreeContent.Of(K3sPresets)) } : [],
            .. key is null ? [] : new[] { TreeEntry.File($"{Settings}/{key.FileName}", TreeContent.Of(key.Content)) },
            .. spec.KnownHosts is { } hosts ? new[] { TreeEntry.File($"{Settings}/known_hosts", TreeContent.Of(KnownHosts(hosts))) } : [],
            .. spec.Copy is { } copy ? CopyOf(copy) : [],
        ]);
        var text = SettingsOf(spec, key);
        // By this, a node knows that another image has other work for it: the same layer makes the same one in each build.
        var image = Checksum.OfText($"{TreeDigest.Of(tree)}\n{text}")[..16];
        // A webhook's URL may be known to few.
        return (tree.With(TreeEntry.File($"{Settings}/first-boot.conf", TreeContent.Of($"{text}image='{image}'\n"), Private)), nodes.Warnings);
    }

    /// <summary>The script's settings, as the shell reads them. No value has a quote in it: whoever read the spec has seen to that.</summary>
    private static string SettingsOf(LayerSpec.FirstBoot spec, SigningKey? key)
    {
        var text = new StringBuilder("# Written by Crust, of the spec's firstBoot layer.\n");
        foreach (var (name, value) in new[]
        {
            ("repository", spec.Repository), ("commit", spec.Commit), ("branch", spec.Branch), ("sha256", spec.Sha256), ("key", key?.Kind), ("webhook", spec.Webhook), ("token", spec.Token),
            ("patience", ((long)spec.Patience.TotalSeconds).ToString(CultureInfo.InvariantCulture)),
        })
        {
            if (value is not null)
            {
                text.Append(CultureInfo.InvariantCulture, $"{name}='{value}'\n");
            }
        }

        return text.ToString();
    }

    private static TreeContent Shipped(string name) => TreeContent.Of(File.ReadAllBytes(Path.Combine(Folders.BuilderBesideProgram, "first-boot", name)));

    private static IEnumerable<TreeEntry> CopyOf(string folder)
    {
        // Git's own files would bring a history along that nobody asks for.
        var copy = (Directory.Exists(folder) ? FileTree.FromFolder(folder) : FileTree.FromTar(folder)).Without(".git");
        return copy.Find(SetupName) is { Kind: EntryKind.File } ? copy.Entries.Select(entry => entry with { Path = $"{CopyFolder}/{entry.Path}" })
            : throw new CrustException(FailureKind.BadInput, $"The copy of the bootstrap repository has no {SetupName}", folder, "name the folder in which it is");
    }

    private static byte[] KnownHosts(string path)
    {
        var bytes = UserFile.ReadSmall(path, path, "knownHosts", MostKeys, "name a file as ssh-keyscan writes it");
        var lines = Encoding.UTF8.GetString(bytes).Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').ToList();
        return lines.Count > 0 && lines.All(line => HostLine().IsMatch(line)) ? bytes
            : throw new CrustException(FailureKind.BadInput, "This isn't a file of ssh servers' public keys", path, "name a file as ssh-keyscan HOST writes it");
    }

    // sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
    [GeneratedRegex(@"\A(@(cert-authority|revoked)\s+)?\S+\s+(ssh-|ecdsa-|sk-)\S+\s+AAAA\S+", RegexOptions.ExplicitCapture)]
    private static partial Regex HostLine();

    /// <summary>Who may have signed the commit.</summary>
    /// <param name="Kind">`ssh` or `gpg`, as the script says it.</param>
    /// <param name="FileName">What the script calls the file.</param>
    private sealed partial record SigningKey(string Kind, string FileName, byte[] Content)
    {
        public static SigningKey Read(string path, string where)
        {
            var lines = Encoding.UTF8.GetString(UserFile.ReadSmall(path, path, "key's", MostKeys, "name a file with the public keys of those who sign commits"))
                .Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').ToList();
            // ssh-keygen(1), "ALLOWED SIGNERS": whoever it is, and for git's signatures alone.
            return lines.Count > 0 && lines.All(line => SshKey().IsMatch(line)) ? new SigningKey("ssh", "allowed_signers", Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => $"* namespaces=\"git\" {line}\n"))))
                : new SigningKey("gpg", "signing-key.gpg", ListSignature.ReadKeys(path, $"{where}: firstBoot"));
        }

        [GeneratedRegex(@"\A(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9-]+@openssh\.com)\s+AAAA[A-Za-z0-9+/=]+(\s.*)?\z", RegexOptions.ExplicitCapture)]
        private static partial Regex SshKey();
    }
}
