using System.Collections.Immutable;
using Crust.Isos;
using Crust.Storage;

namespace Crust.Seeds.Volumes;

/// <summary>A seed's documents as files that only this user can read, for a program that puts them somewhere else. Disposing deletes them.</summary>
internal sealed class StagedDocuments : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _folder;

    private StagedDocuments(string folder, ImmutableArray<VolumeFile> files) => (_folder, Files) = (folder, files);

    public ImmutableArray<VolumeFile> Files { get; }

    /// <param name="folder">An existing folder that only this user can enter.</param>
    /// <exception cref="IOException">They can't be written.</exception>
    /// <exception cref="UnauthorizedAccessException">They may not be written.</exception>
    public static StagedDocuments Write(ImmutableArray<SeedDocument> documents, string folder)
    {
        var content = Path.Combine(folder, "seed");
        Directory.CreateDirectory(content, Private | UnixFileMode.UserExecute);
        try
        {
            // By number: a document's name may be a path.
            ImmutableArray<VolumeFile> files = [.. documents.Select((document, i) => new VolumeFile(document.Name, Path.Combine(content, $"{i}")))];
            foreach (var (document, file) in documents.Zip(files))
                PrivateFile.Write(file.OnHost, document.Text);
            return new StagedDocuments(content, files);
        }
        catch
        {
            Directory.Delete(content, recursive: true);
            throw;
        }
    }

    /// <summary>Deletes them: what they were put on has it all, and a second copy of the secrets has no use.</summary>
    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }
}
