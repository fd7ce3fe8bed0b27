using System.Text;

namespace Crust.Tests;

public sealed class RedactorTests
{
    [Test]
    public void Secrets_go_the_longest_first_and_short_ones_stay()
    {
        var redactor = Hiding("hunter2", "hunter2 and more", "ab");

        Assert.That(redactor.Apply("ab: hunter2 and more, hunter2"), Is.EqualTo("ab: •••, •••"));
    }

    [Test]
    public void A_secret_goes_wherever_a_stream_is_cut([Range(1, 8)] int size)
    {
        var redactor = Hiding("hunter2", "tok3n");

        Assert.That(Pass(redactor, "huhunter2 hunter tok3ntok3n hunt", size), Is.EqualTo("hu••• hunter •••••• hunt"));
    }

    [Test]
    public void What_can_not_be_a_secret_is_passed_on_at_once()
    {
        var filter = Hiding("hunter2").Filter();

        Assert.That(Encoding.UTF8.GetString(filter.Pass("login: "u8.ToArray()).Span), Is.EqualTo("login: "));
    }

    [Test]
    public void What_is_hidden_later_goes_from_then_on()
    {
        var redactor = new Redactor();
        var filter = redactor.Filter();
        filter.Pass("hunter2"u8.ToArray());

        redactor.Hide(["hunter2"]);

        Assert.That(Encoding.UTF8.GetString(filter.Pass("hunter2"u8.ToArray()).Span), Is.EqualTo(Redactor.Mask));
    }

    private static Redactor Hiding(params string[] secrets)
    {
        var redactor = new Redactor();
        redactor.Hide(secrets);
        return redactor;
    }

    private static string Pass(Redactor redactor, string text, int size)
    {
        var filter = redactor.Filter();
        var result = new List<byte>();
        foreach (var piece in Encoding.UTF8.GetBytes(text).Chunk(size))
        {
            result.AddRange(filter.Pass(piece).Span);
        }

        result.AddRange(filter.End().Span);
        return Encoding.UTF8.GetString([.. result]);
    }
}
