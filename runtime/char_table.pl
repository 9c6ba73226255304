#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Makes char_table.c of the Unicode database that perl has:
#
#	perl char_table.pl >char_table.c
use strict;
use warnings;
use feature 'unicode_strings';
use Unicode::UCD;

# Runs of numbers, as [first, last].
sub ranges
{
	my @runs;
	for my $c (@_) {
		if (@runs && $runs[-1][1] == $c - 1) {
			$runs[-1][1] = $c;
		} else {
			push @runs, [$c, $c];
		}
	}
	return @runs;
}

# Runs of one distance that go on by one or by two, as [first, last, to, step].
sub mappings
{
	my %to = @_;
	my @runs;
	for my $c (sort { $a <=> $b } keys %to) {
		my $run = @runs ? $runs[-1] : undef;
		my $gap = $run ? $c - $run->[1] : 0;
		if ($run && $to{$c} - $c == $run->[2] - $run->[0] && $gap <= 2 &&
		    ($run->[0] == $run->[1] || $run->[3] == $gap)) {
			$run->[1] = $c;
			$run->[3] = $gap;
		} else {
			push @runs, [$c, $c, $to{$c}, 1];
		}
	}
	return @runs;
}

sub table
{
	my ($type, $name, @rows) = @_;
	my $line = "\t";
	print "\nconst struct $type $name\[] = {\n";
	for my $row (@rows) {
		my $cell = '{' . join(', ', map { sprintf '0x%04x', $_ } @$row) . '}, ';
		if (length($line) + length($cell) > 88) {
			print $line =~ s/ $//r, "\n";
			$line = "\t";
		}
		$line .= $cell;
	}
	print $line =~ s/ $//r, "\n};\n";
	print "const size_t ${name}_rows = ARRAY_SIZE($name);\n";
}

my (@letter, @number, %upper, %lower, @long_upper, @long_lower);
for my $c (grep { $_ < 0xd800 || $_ > 0xdfff } 0 .. 0xffff) {
	my $char = chr $c;
	push @letter, $c if $char =~ /\p{Alphabetic}/;
	push @number, $c if $char =~ /\p{N}/;
	for ([uc $char, \%upper, \@long_upper], [lc $char, \%lower, \@long_lower]) {
		my ($mapped, $one, $long) = @$_;
		next if $mapped eq $char;
		if (length $mapped == 1 && ord $mapped <= 0xffff) {
			$one->{$c} = ord $mapped;
		} else {
			push @$long, [$c, ord $mapped];
		}
	}
}

print <<END;
// SPDX-License-Identifier: BSD-2-Clause
/*
 * Letters, numbers and case of the first 65536 characters.  Made by char_table.pl of
 * the Unicode Character Database, version @{[Unicode::UCD::UnicodeVersion()]}.
 */
#include "char_table.h"
END
table('char_range', 'char_letters', ranges(@letter));
table('char_range', 'char_numbers', ranges(@number));
table('char_mapping', 'char_uppers', mappings(%upper));
table('char_mapping', 'char_lowers', mappings(%lower));
table('char_first', 'char_long_uppers', @long_upper);
table('char_first', 'char_long_lowers', @long_lower);
