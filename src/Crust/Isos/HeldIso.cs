using Microsoft.Win32.SafeHandles;

namespace Crust.Isos;

/// <summary>
/// An ISO that a machine reads from. It may be removed or replaced meanwhile, for QEMU holds the file open; but whoever writes
/// to it or cuts it off changes what the guest reads, and QEMU gives zeros behind a file's end without a word.
/// </summary>
internal sealed class HeldIso : IDisposable
{
    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private readonly long _size;
    private readonly DateTime _modified;

    /// <exception cref="CrustException">The ISO can't be opened any more.</exception>
    public HeldIso(string path)
    {
        try
        {
            _path = path;
            _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            (_size, _modified) = (RandomAccess.GetLength(_handle), File.GetLastWriteTimeUtc(_handle));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The ISO can't be opened any more: {e.Message}", path, "leave it where it is until the build has started", e);
        }
    }

    /// <summary>Checks that the file is as it was when it was opened.</summary>
    /// <param name="detail">What the guest said last, for the error.</param>
    /// <exception cref="CrustException">It isn't, so nobody knows what was installed.</exception>
    public void CheckUnchanged(string detail)
    {
        var size = RandomAccess.GetLength(_handle);
        if (size != _size || File.GetLastWriteTimeUtc(_handle) != _modified)
        {
            throw new CrustException(FailureKind.InputOutput,
                $"The ISO was {(size < _size ? $"cut off from {_size} to {size} bytes" : "written to")} while its installer ran, so what was installed can't be trusted", _path,
                "copy or download it again, leave it alone until the installer has ended, and build again")
            { Detail = detail };
        }
    }

    public void Dispose() => _handle.Dispose();
}
