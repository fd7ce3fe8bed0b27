using System.Runtime.InteropServices;

namespace Crust.Tests.Storage;

/// <summary>Makes named pipes.</summary>
internal static partial class Pipes
{
    public static string Make(string path)
    {
        Assert.That(MakePipe(path, 0x180), Is.Zero);
        return path;
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);
}
