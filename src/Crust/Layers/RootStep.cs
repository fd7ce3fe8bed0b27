using System.Collections.Immutable;
using Crust.Storage;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>Something that is done to a root: a command that runs in it, files that are put into it, or a layer.</summary>
internal abstract record RootStep
{
    private RootStep()
    {
    }

    /// <summary>Where it stands: `Dockerfile:12, RUN`.</summary>
    public required string Where { get; init; }

    /// <summary>What it is, for people: one line.</summary>
    public required string Shown { get; init; }

    /// <summary>A digest over all that decides what it does.</summary>
    public abstract string Digest { get; }

    /// <param name="Arguments">The program and its arguments.</param>
    /// <param name="WorkFolder">The folder in the root that it runs in.</param>
    /// <param name="User">The account that runs it; null for root.</param>
    /// <param name="Environment">Variables beside the root's own.</param>
    public sealed record Command(ImmutableArray<string> Arguments, string WorkFolder, string? User, ImmutableSortedDictionary<string, string> Environment) : RootStep
    {
        public override string Digest => Checksum.OfText(string.Join('\0', ["command", WorkFolder, User ?? "", .. Arguments, "", .. Environment.Select(pair => $"{pair.Key}={pair.Value}")]));
    }

    /// <param name="Tree">A folder of it that is there, or a link to one, stays what it is; a file takes the place of what is there.</param>
    public sealed record Files(FileTree Tree) : RootStep
    {
        public override string Digest => Checksum.OfText($"files {TreeDigest.Of(Tree)}");
    }

    /// <param name="Layer">A layer, as an installed disk gets it.</param>
    public sealed record OfLayer(Layer Layer) : RootStep
    {
        public override string Digest => Checksum.OfText(Layer.Material);
    }
}
