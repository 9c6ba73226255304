# SPDX-License-Identifier: BSD-2-Clause
# A text job for perl: hashes, growing strings, regular expressions, sorting.
use strict;
use warnings;
use File::Copy;

my $lines = shift;
my (%count, %words);
my ($state, $text) = (42, '');

sub number
{
	$state = ($state * 1103515245 + 12345) % 2147483648;
	return $state >> 8;
}

copy '/proc/self/maps', 'maps.batch' or die "copy: $!";
for my $n (1 .. $lines) {
	my $line = join ' ', map { sprintf 'w%x', number() % 5000 } 1 .. 8;
	$count{$_}++ for split / /, $line;
	push @{$words{length $line}}, $line;
	$text .= $line if $n % 100 == 0;
}
(my $changed = $text) =~ s/w(\w)(\w+)/$2$1/g;
printf "%s %d\n", $_, $count{$_} for (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count)[0 .. 20];
printf "%d %d\n", $_, scalar @{$words{$_}} for sort { $a <=> $b } keys %words;
printf "%d %d %s\n", length $text, length $changed, unpack('%32C*', $changed);
my $pid = fork // die "fork: $!";
if (!$pid) {
	print join(',', reverse map { $_ x 3 } 'a' .. 'z'), "\n";
	exit 5;
}
waitpid $pid, 0;
printf "child %d\n", $? >> 8;
exit 4;
