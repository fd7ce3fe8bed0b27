using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Storage;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>What a site asks of a system, as the files that the system's own programs read it from.</summary>
internal static class SiteFiles
{
    private const string Environment = "etc/environment";
    private const string Manager = "etc/systemd/system.conf.d/50-site-proxy.conf";
    private const string AptFolder = "etc/apt/apt.conf.d";
    private const string ContainerdFolder = "etc/containerd/certs.d";
    private const int LargestCertificate = 1 << 20;
    private const int LongestText = 1 << 20;

    private static readonly ImmutableArray<string> Rancher = ["etc/rancher/k3s/registries.yaml", "etc/rancher/rke2/registries.yaml"];

    // Where authorities' certificates are put, and what makes them count: Fedora and its kin, SUSE, Debian and its kin.
    private static readonly ImmutableArray<(string Program, string Folder)> Trusts =
    [
        ("usr/bin/update-ca-trust", "etc/pki/ca-trust/source/anchors"), ("usr/sbin/update-ca-certificates", "etc/pki/trust/anchors"),
        ("usr/sbin/update-ca-certificates", "usr/local/share/ca-certificates"), ("usr/bin/update-ca-certificates", "usr/local/share/ca-certificates"),
    ];

    /// <summary>The files that say proxies and mirrors; an empty tree for a site that asks for neither.</summary>
    /// <param name="system">The system that they are for, whose own variables stay.</param>
    /// <exception cref="CrustException">The system has mirrors of its own.</exception>
    public static FileTree Of(SiteSpec site, FileTree system) => FileTree.Empty.With([.. ProxiesOf(site, system), .. MirrorsOf(site, system)]);

    /// <summary>What makes the system trust the site's authorities: their certificates, and the system's own program; no steps without any.</summary>
    /// <exception cref="CrustException">A file has no certificate, or the system has no such program.</exception>
    public static ImmutableArray<RootStep> TrustOf(SiteSpec site, FileTree system)
    {
        if (site.Certificates.IsEmpty)
        {
            return [];
        }

        if (Trusts.FirstOrDefault(trust => system.Follow(trust.Program) is not null && (trust.Folder.StartsWith("usr/", StringComparison.Ordinal) || system.Follow(trust.Folder) is not null))
            is not { Program: { } program, Folder: var folder })
        {
            throw new CrustException(FailureKind.BadInput, "The base has neither update-ca-certificates nor update-ca-trust: no program would trust the site's certificates", site.Where,
                "install ca-certificates in the base image, or leave the certificates out");
        }

        var files = site.Certificates.SelectMany(CertificatesIn).DistinctBy(one => one.Name).Select(one => TreeEntry.File($"{folder}/{one.Name}", TreeContent.Of(one.Text)));
        return
        [
            new RootStep.Files(FileTree.Empty.With(files)) { Where = site.Where, Shown = "certificates of authorities" },
            new RootStep.Command([$"/{program}"], "/", null, site.Proxies) { Where = site.Where, Shown = $"/{program}" },
        ];
    }

    /// <summary>Stands for all that a site asks for.</summary>
    /// <exception cref="CrustException">A certificate's file can't be read.</exception>
    public static string KeyOf(SiteSpec site) => Checksum.OfText(string.Join('\n', [.. site.Proxies.Concat(site.Mirrors).Select(pair => $"{pair.Key}={pair.Value}"),
        .. site.Certificates.SelectMany(CertificatesIn).Select(one => $"{one.Name} {one.Text}")]));

    /// <summary>Steps whose commands know the site's proxies, where they don't say others.</summary>
    public static ImmutableArray<RootStep> WithProxies(IEnumerable<RootStep> steps, SiteSpec site) =>
        [.. steps.Select(step => step is RootStep.Command command ? command with { Environment = site.Proxies.SetItems(command.Environment) } : step)];

    private static IEnumerable<TreeEntry> ProxiesOf(SiteSpec site, FileTree system)
    {
        if (site.Proxies is not { IsEmpty: false } proxies)
        {
            yield break;
        }

        var own = system.Follow(Environment) is { Kind: EntryKind.File } file ? Encoding.UTF8.GetString(file.Content.Read(0, LongestText)) : "";
        var kept = own.Split('\n').Where(line => line.Length > 0 && !proxies.ContainsKey(line.Replace("export ", "", StringComparison.Ordinal).Split('=')[0].Trim()));
        yield return TreeEntry.File(Environment, TreeContent.Of(string.Concat(kept.Concat(proxies.Select(proxy => $"{proxy.Key}={proxy.Value}")).Select(line => line + "\n"))));
        // Services don't read /etc/environment; systemd hands them this. A percent sign is its own.
        var quoted = proxies.Select(proxy => $"\"{proxy.Key}={proxy.Value.Replace("%", "%%", StringComparison.Ordinal)}\"");
        yield return TreeEntry.File(Manager, TreeContent.Of($"[Manager]\nDefaultEnvironment={string.Join(' ', quoted)}\n"));
        if (system.Follow(AptFolder) is not null)
        {
            yield return TreeEntry.File($"{AptFolder}/50site-proxy", TreeContent.Of(string.Concat(
                new[] { ("http", site.HttpProxy), ("https", site.HttpsProxy) }.Where(one => one.Item2 is not null).Select(one => $"Acquire::{one.Item1}::Proxy \"{one.Item2}\";\n"))));
        }
    }

    private static IEnumerable<TreeEntry> MirrorsOf(SiteSpec site, FileTree system)
    {
        if (site.Mirrors.IsEmpty)
        {
            yield break;
        }

        foreach (var (host, url) in site.Mirrors)
        {
            var server = host is "docker.io" ? "registry-1.docker.io" : host;
            yield return TreeEntry.File($"{ContainerdFolder}/{host}/hosts.toml",
                TreeContent.Of($"server = \"https://{server}\"\n\n[host.\"{url}\"]\n  capabilities = [\"pull\", \"resolve\"]\n"));
        }

        var text = "mirrors:\n" + string.Concat(site.Mirrors.Select(mirror => $"  \"{mirror.Key}\":\n    endpoint:\n      - \"{mirror.Value}\"\n"));
        foreach (var path in Rancher)
        {
            yield return system.Follow(path) is null ? TreeEntry.File(path, TreeContent.Of(text))
                : throw new CrustException(FailureKind.BadInput, $"The base has a /{path} of its own, and mirrors of registries would replace it", site.Where,
                    "put the mirrors into that file of the base");
        }
    }

    // Debian's program takes one of each file, and only those that end so.
    private static IEnumerable<(string Name, string Text)> CertificatesIn(string path)
    {
        var content = UserFile.ReadSmall(path, path, "certificate's", LargestCertificate, "name a file with certificates of authorities alone");
        var all = new X509Certificate2Collection();
        try
        {
            var text = Encoding.UTF8.GetString(content);
            if (text.Contains("-----BEGIN", StringComparison.Ordinal))
            {
                all.ImportFromPem(text);
            }
            else
            {
                all.Add(X509CertificateLoader.LoadCertificate(content));
            }
        }
        catch (CryptographicException)
        {
        }

        if (all.Count == 0)
        {
            throw new CrustException(FailureKind.BadInput, "There is no certificate in this file", path, "name a file with an authority's certificate, PEM (-----BEGIN CERTIFICATE-----) or DER");
        }

        var name = string.Concat(Path.GetFileNameWithoutExtension(path).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '-'));
        return [.. all.Select((certificate, i) => ($"{CleanText.Line(name, 100)}{(all.Count > 1 ? $"-{i + 1}" : "")}.crt", certificate.ExportCertificatePem() + "\n"))];
    }
}
