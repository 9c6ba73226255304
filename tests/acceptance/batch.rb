# SPDX-License-Identifier: BSD-2-Clause
# A batch job for ruby: strings, hashes, big numbers, JSON, compression, threads, forks
# and compacting collections, told as text.
require "digest"
require "json"
require "zlib"

rounds = ARGV[0].to_i
File.write("maps.batch", File.read("/proc/self/maps"))

def digest(text)
  Digest::SHA256.hexdigest(text)
end

tree = (0...rounds).to_h { |i| ["key#{i}", [i, i.to_s * (i % 50), { "nested" => [nil, true, i / 8.0] }]] }
text = JSON.generate(tree)
raise "json" unless JSON.parse(text) == tree
puts "json #{digest(text)}"
puts "zlib #{digest(Zlib::Inflate.inflate(Zlib::Deflate.deflate(text)))}"
puts "marshal #{digest(Marshal.dump(Marshal.load(Marshal.dump(tree))))}"

words = text.scan(/[a-z]+\d+/).map { |word| word.sub(/(\w)(\d+)/, '\2\1').to_sym.to_s }
puts "words #{words.size} #{digest(words.sort.join(' '))}"
puts "numbers #{(1..rounds / 10).inject(:*).to_s.size} #{3**rounds % 1_000_007}"

sums = (0...8).map do |n|
  Thread.new { (0...rounds).sum { |i| Array.new(i % 100) { |j| (j * n).to_s }.join.size } }
end
puts "threads #{sums.map(&:value)}"

GC.start
GC.compact if GC.respond_to?(:compact)
GC.stress = true
few = (0...20).map { |i| "stress #{i}" * i }
GC.stress = false
puts "stress #{digest(few.join)}"

noise = Thread.new { loop { Array.new(200) { |n| "n" * n } } }
children = (0...20).map do |n|
  reader, writer = IO.pipe
  child = fork do
    reader.close
    writer.write(digest("x" * (n * 1000)))
    writer.close
    exit!(n)
  end
  writer.close
  answer = reader.read
  Process.wait(child)
  [answer, $?.exitstatus]
end
noise.kill
puts "forks #{children}"
puts "caught #{begin; Integer("x" * 1000); rescue ArgumentError => e; e.message.size; end}"
exit 7
