-- SPDX-License-Identifier: BSD-2-Clause
-- Tables and strings that come and go; ends with 5.
local rounds = tonumber(arg[1])
local kept = {}
for round = 1, rounds do
	for i = 1, 20000 do
		local word = ("w%d"):format(i * round % 977)
		kept[word] = kept[word] or {}
		table.insert(kept[word], word:rep(i % 30))
		if #kept[word] > 20 then kept[word] = nil end
	end
end
local names, size = {}, 0
for word, list in pairs(kept) do
	table.insert(names, word)
	size = size + #table.concat(list)
end
table.sort(names)
print(#names, size, table.concat(names, " "):sub(1, 60))
os.exit(5, true)
