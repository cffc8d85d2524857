package Kappa::Harness;

# prove's own harness; it also writes `N passed, N failed` to the file that
# KAPPA_TEST_COUNT names. A test file that ends badly without a failed test
# (a crash, a sanitizer's report, a missing plan) counts as one failure. The
# files that failed go to "$KAPPA_TEST_COUNT.failed", each as `FILE passed failed`.

use strict;
use warnings;
use parent 'TAP::Harness';

sub summary {
    my ($self, $aggregate, @rest) = @_;
    my ($passed, $failed, @files) = (0, 0);
    for my $name ($aggregate->descriptions) {
        my ($parser) = $aggregate->parsers($name);
        my $planned = $parser->tests_planned // $parser->tests_run;
        my $bad = () = $parser->failed;
        my $missing = $planned - $parser->tests_run;
        $bad += $missing if $missing > 0;
        $bad = 1 if !$bad && $parser->has_problems;
        my $good = () = $parser->passed;
        $passed += $good;
        $failed += $bad;
        push @files, "$name $good $bad\n" if $bad;
    }
    if (my $file = $ENV{KAPPA_TEST_COUNT}) {
        open my $out, '>', $file or die "$file: $!";
        print $out "$passed passed, $failed failed\n";
        close $out;
        open $out, '>', "$file.failed" or die "$file.failed: $!";
        print $out @files;
        close $out;
    }
    return $self->SUPER::summary($aggregate, @rest);
}

1;
