using System.Collections.Immutable;
using Crust.Trees;

namespace Crust.Sysexts.Conversion;

/// <summary>Whose folder a wrapped program sees.</summary>
public enum RootMap
{
    /// <summary>The system's own, on which the extension is merged.</summary>
    Host,

    /// <summary>That of the root, which can't be written.</summary>
    Chroot,

    /// <summary>An empty one, which goes away with the program.</summary>
    None,
}

/// <summary>What wrapped programs see of the system and what of their own root.</summary>
internal sealed record FlatwrapMaps
{
    public RootMap Etc { get; init; }

    public RootMap Var { get; init; }

    /// <summary>/home and /root.</summary>
    public RootMap Home { get; init; }

    // What programs always have of the system.
    private static readonly ImmutableArray<string> Always = ["dev", "proc", "run", "sys", "tmp"];

    // What is of no use in an extension.
    private static readonly ImmutableArray<string> Never = [.. Always, "boot", "lost+found", "media", "mnt"];

    private IEnumerable<(string Folder, RootMap Map)> Mapped => [("etc", Etc), ("home", Home), ("root", Home), ("var", Var)];

    /// <summary>The folders that programs see of the system, in the order of mounting.</summary>
    public IEnumerable<string> OfHost => [.. Always.Concat(Mapped.Where(map => map.Map is RootMap.Host).Select(map => map.Folder))
        .Concat(Var is RootMap.Host ? [] : ["var/tmp"]).Order(StringComparer.Ordinal)];

    /// <summary>The folders that are empty for each run.</summary>
    public IEnumerable<string> Empty => Mapped.Where(map => map.Map is RootMap.None).Select(map => map.Folder);

    /// <summary>Whether what is at the top of the root goes into the extension.</summary>
    public bool Takes(string top) => !Never.Contains(top) && !Mapped.Any(map => map.Folder == top && map.Map is not RootMap.Chroot);
}

/// <summary>The scripts of a wrapped root: one that runs a program in it, and one for each program.</summary>
internal static class FlatwrapScripts
{
    /// <summary>The script for a program: what a system has at its place.</summary>
    public static string Wrapper(string folder, ProgramWish program) => $"#!/bin/sh\nexec /{folder}/enter {Quoted("/" + program.Path)} \"$@\"\n";

    /// <summary>The script that runs a program in the root: as root in a mount namespace, else by bwrap, or where that is missing in a user namespace.</summary>
    /// <param name="folder">The extension's private folder, without a slash in front.</param>
    /// <param name="tops">What is at the root's top: folders, and links.</param>
    public static string Enter(string folder, IReadOnlyList<TreeEntry> tops, FlatwrapMaps maps)
    {
        var (mounts, binds) = (new List<string>(), new List<string>());
        foreach (var top in tops)
        {
            var name = Quoted(top.Path);
            mounts.Add(top.Kind is EntryKind.Symlink ? $"ln -s {Quoted(top.LinkTarget)} \"$new\"/{name}" : $"own {name}");
            binds.Add(top.Kind is EntryKind.Symlink ? $"--symlink {Quoted(top.LinkTarget)} /{name}" : $"--ro-bind \"$here/root\"/{name} /{name}");
        }

        foreach (var empty in maps.Empty)
        {
            mounts.Add($"mkdir \"$new/{empty}\"");
            binds.Add($"--dir /{empty}");
        }

        foreach (var host in maps.OfHost)
        {
            mounts.Add($"host {host}");
            binds.Add(host == "dev" ? "--dev-bind /dev /dev" : $"--bind-try /{host} /{host}");
        }

        return $$"""
            #!/bin/sh
            # Runs a program of the root beside this file: enter PROGRAM [ARGUMENT…]. Programs see the root's folders, and of the system what is listed below.
            set -eu
            here=/{{folder}}
            new=$here/mnt

            # In the new mount namespace: --inside UID GID PROGRAM…, without UID and GID for root.
            if [ "${1-}" = --inside ]; then
                uid=$2 gid=$3
                shift 3
                own() { mkdir -p "$new/$1" && mount --rbind "$here/root/$1" "$new/$1"; }
                host() { [ ! -d "/$1" ] || { mkdir -p "$new/$1" && mount --rbind "/$1" "$new/$1"; }; }
                mount -t tmpfs -o mode=0755 tmpfs "$new"
            {{Indented(mounts, 4)}}
                folder=$(pwd)
                [ -d "$new$folder" ] || folder=/
                if [ -z "$uid" ]; then
                    exec unshare --root="$new" --wd="$folder" -- "$@"
                fi
                exec unshare --user --map-user="$uid" --map-group="$gid" --root="$new" --wd="$folder" -- "$@"
            fi

            if [ "$(id -u)" = 0 ]; then
                exec unshare --mount -- "$0" --inside '' '' "$@"
            fi
            if command -v bwrap >/dev/null; then
                exec bwrap \
            {{Indented(binds.Select(bind => bind + " \\"), 8)}}
                    -- "$@"
            fi
            exec unshare --user --map-root-user --mount -- "$0" --inside "$(id -u)" "$(id -g)" "$@"

            """;
    }

    private static string Indented(IEnumerable<string> lines, int by) => string.Join('\n', lines.Select(line => new string(' ', by) + line));

    private static string Quoted(string text) => text.All(c => char.IsAsciiLetterOrDigit(c) || "/._+-".Contains(c)) ? text : $"'{text.Replace("'", "'\\''")}'";
}
