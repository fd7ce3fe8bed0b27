using System.Collections.Immutable;
using Crust.Layers;
using Crust.Trees;

namespace Crust.Canvos.Dockerfiles;

/// <summary>What a Dockerfile does to a base that is given: steps as layers have them, and what it says of the image.</summary>
/// <param name="Args">The names that its ARG lines declare.</param>
/// <param name="Env">What its ENV lines leave.</param>
internal sealed record Dockerfile(string Path, ImmutableArray<DockerStep> Steps, ImmutableArray<string> Args, ImmutableSortedDictionary<string, string> Env);

/// <summary>One line of a Dockerfile that changes the root.</summary>
internal abstract record DockerStep
{
    private DockerStep()
    {
    }

    /// <summary>Where it stands: `Dockerfile:12, RUN`.</summary>
    public required string Where { get; init; }

    /// <summary>What it is, for people.</summary>
    public abstract string Shown { get; }

    /// <summary>The same as something that is done to a root.</summary>
    /// <exception cref="CrustException">A folder can't be read, or has something in it that no tree has.</exception>
    public abstract RootStep ToRootStep();

    /// <summary>A command that runs in the root.</summary>
    /// <param name="Command">The arguments: the shell's with the text, or those of the exec form.</param>
    /// <param name="WorkFolder">The folder in the root that it runs in.</param>
    /// <param name="User">The account that runs it; null for root.</param>
    /// <param name="Env">What its environment has beside the root's own: ARGs and ENV.</param>
    public sealed record Run(ImmutableArray<string> Command, string WorkFolder, string? User, ImmutableSortedDictionary<string, string> Env) : DockerStep
    {
        public override string Shown => $"RUN {Sanitizing.CleanText.Line(Command[^1], 60)}";

        public override RootStep ToRootStep() => new RootStep.Command(Command, WorkFolder, User, Env) { Where = Where, Shown = Shown };
    }

    /// <summary>Files and folders of the context.</summary>
    /// <param name="Sources">Their absolute paths on this host. Of a folder its content is copied, not itself.</param>
    /// <param name="Target">The path in the root, absolute.</param>
    /// <param name="IsFolder">Whether the target is the folder that they go into, and not a file's new name.</param>
    /// <param name="Owner">The numbers of the files' user and group.</param>
    /// <param name="Mode">The files' mode; null for what they have.</param>
    public sealed record Copy(ImmutableArray<string> Sources, string Target, bool IsFolder, (int Uid, int Gid) Owner, UnixFileMode? Mode) : DockerStep
    {
        public override string Shown => $"COPY to {Target}";

        public override RootStep ToRootStep() => new RootStep.Files(ToTree()) { Where = Where, Shown = Shown };

        private FileTree ToTree() => FileTree.Empty.With(Sources.SelectMany(Of).Select(entry => entry.Kind is EntryKind.Symlink ? entry
            : entry with { Uid = Owner.Uid, Gid = Owner.Gid, Mode = Mode ?? entry.Mode }));

        private IEnumerable<TreeEntry> Of(string source)
        {
            var target = Target.Trim('/');
            string Under(string name) => target.Length == 0 ? name : $"{target}/{name}";
            if (Directory.Exists(source))
            {
                return FileTree.FromFolder(source).Entries.Select(entry => entry with { Path = Under(entry.Path) });
            }

            var file = new FileInfo(source);
            return [TreeEntry.File(IsFolder ? Under(file.Name) : target, TreeContent.OfFile(source, 0, file.Length), file.UnixFileMode)];
        }
    }

    /// <summary>A file whose text stands in the Dockerfile.</summary>
    public sealed record Write(string Target, string Content, (int Uid, int Gid) Owner, UnixFileMode? Mode) : DockerStep
    {
        public override string Shown => $"COPY to {Target}";

        public override RootStep ToRootStep() => new RootStep.Files(FileTree.Empty.With(File)) { Where = Where, Shown = Shown };

        private TreeEntry File => TreeEntry.File(Target.Trim('/'), TreeContent.Of(Content), Mode ?? TreeEntry.Readable) with { Uid = Owner.Uid, Gid = Owner.Gid };
    }

    /// <summary>A folder that is made if it isn't there.</summary>
    public sealed record Folder(string Target) : DockerStep
    {
        public override string Shown => $"WORKDIR {Target}";

        public override RootStep ToRootStep() => new RootStep.Files(Target == "/" ? FileTree.Empty : FileTree.Empty.With(TreeEntry.Folder(Target.Trim('/')))) { Where = Where, Shown = Shown };
    }
}
