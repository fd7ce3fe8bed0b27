using System.Text;
using System.Text.RegularExpressions;
using Crust.Spec;
using Crust.Sysexts.Conversion;
using Crust.Tools;
using Crust.Trees;
using Serilog.Core;

namespace Crust.Tests.Sysexts.Conversion;

/// <summary>Roots of which something is taken: of ELF files without code, or of this host's own programs.</summary>
internal static partial class RootSample
{
    public const string Loader = "/lib64/ld-linux-x86-64.so.2";

    public static ToolBox Tools { get; } = new(HostEnvironment.Read().SearchPath, Logger.None);

    /// <summary>A small root of glibc, with usr merged.</summary>
    public static FileTree Root => FileTree.Empty.With(
        TreeEntry.Folder("usr/bin"), TreeEntry.Symlink("bin", "usr/bin"), TreeEntry.Folder("usr/lib"), TreeEntry.Symlink("lib", "usr/lib"), TreeEntry.Folder("usr/lib64"), TreeEntry.Symlink("lib64", "usr/lib64"),
        Elf("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
        TreeEntry.Symlink("usr/lib64/ld-linux-x86-64.so.2", "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
        Elf("usr/lib/x86_64-linux-gnu/libc.so.6", needed: ["ld-linux-x86-64.so.2"]),
        Elf("usr/lib/x86_64-linux-gnu/libtool.so.1.2.3", needed: ["libdeep.so.1", "libc.so.6"]),
        TreeEntry.Symlink("usr/lib/x86_64-linux-gnu/libtool.so.1", "libtool.so.1.2.3"),
        Elf("opt/deep/libdeep.so.1", needed: ["libc.so.6"]),
        Text("etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf # all\n"),
        Text("etc/ld.so.conf.d/deep.conf", "# deep\n/opt/deep\n"),
        Elf("usr/bin/tool", Loader, ["libtool.so.1", "libc.so.6"]),
        Elf("usr/bin/static"),
        TreeEntry.File("usr/bin/shell-script", TreeContent.Of("#!/bin/sh\n"), TreeEntry.Executable),
        TreeEntry.File("usr/bin/snake", TreeContent.Of("#!/usr/bin/python3 -E\n"), TreeEntry.Executable),
        Text("usr/bin/notes", "text"));

    public static TreeEntry Elf(string path, string? interpreter = null, string[]? needed = null, string[]? runpath = null, ushort machine = 62) =>
        TreeEntry.File(path, TreeContent.Of(SampleElf.Of(machine, interpreter, needed ?? [], runpath ?? [])), TreeEntry.Executable);

    public static TreeEntry Text(string path, string text) => TreeEntry.File(path, TreeContent.Of(text));

    public static string TextOf(FileTree tree, string path) => Encoding.UTF8.GetString(tree.Find(path)!.Content.Read(0, 1 << 20));

    public static TakeRequest Take(params string[] programs) => new() { Name = "tool", Programs = [.. programs.Select(ProgramWish.Parse)] };

    /// <summary>Programs of this host with what they are linked with, at the paths that they have here.</summary>
    public static async Task<FileTree> OfHostAsync(CancellationToken cancellation, params string[] programs)
    {
        var tree = FileTree.Empty;
        foreach (var program in programs)
        {
            var libraries = PathPattern().Matches((await Tools.RunAsync(ToolCommand.Of("ldd", program), cancellation)).Output).Select(match => match.Value);
            tree = tree.With(libraries.Append(program).Select(path => (Path: path, Real: new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path))
                .Select(file => TreeEntry.File(file.Path[1..], TreeContent.OfFile(file.Real, 0, new FileInfo(file.Real).Length), TreeEntry.Executable)));
        }

        return tree;
    }

    [GeneratedRegex(@"/\S+")]
    private static partial Regex PathPattern();
}
