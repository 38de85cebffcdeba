"""Who says what, in the many shapes that news has for it; every sentence here is made up."""

import pytest

from claimsieve.intake.articles import Article, Block, Document
from claimsieve.intake.claims import claims_of


def found_in(text: str) -> list[tuple[str | None, str]]:
    """Speaker and claim of everything found in a text, one paragraph a line."""
    blocks, place = [], 0
    for line in text.split("\n"):
        if line:
            blocks.append(Block("paragraph", place, place + len(line)))
        place += len(line) + 1
    document = Document(Article("made-up", text, lang="en"), tuple(blocks))
    return [(one.speaker, one.claim) for one in claims_of(document)]


@pytest.mark.parametrize("word", ["Allegedly", "Reportedly"])
def test_a_hedge_by_itself_is_no_claim(word):
    told = f"The mayor was at home when the fire began in the hall of the town. {word}."
    assert [claim for _, claim in found_in(told)] == [told.removesuffix(f" {word}.")]
    assert found_in(f"{word}.") == []


SHAPES = {
    # before
    "Officials said that the dam had burst on Monday.": ("Officials", "The dam had burst on Monday."),
    "The ministry said on Tuesday that 14 people had died.": ("the ministry", "14 people had died."),
    "The regional governor said late on Tuesday that two bridges were closed.": (
        "the regional governor",
        "Two bridges were closed.",
    ),
    "Police told reporters that the van was stolen in Leeds.": ("Police", "The van was stolen in Leeds."),
    "Maria Ortiz told the BBC the clinic had run out of oxygen.": (
        "Maria Ortiz",
        "The clinic had run out of oxygen.",
    ),
    "Iranian and Iraqi officials both say the convoy was hit twice.": (
        "Iranian and Iraqi officials",
        "The convoy was hit twice.",
    ),
    "Local outlets claim the ferry carried 300 passengers.": ("Local outlets", "The ferry carried 300 passengers."),
    "On Friday, the army said its jets had struck a depot near Tarsk.": (
        "the army",
        "Its jets had struck a depot near Tarsk.",
    ),
    "Meanwhile, aid groups warn that 40,000 people have no water.": (
        "aid groups",
        "40,000 people have no water.",
    ),
    "Juma Adel, a spokesman for the coast guard, said the boat sank in minutes.": (
        "Juma Adel",
        "The boat sank in minutes.",
    ),
    "Ann Lee, who runs the shelter, said 90 families arrived overnight.": (
        "Ann Lee",
        "90 families arrived overnight.",
    ),
    "Ana Ruiz, the mayor of Springfield, Ohio, said the plant closed in May.": (
        "Ana Ruiz",
        "The plant closed in May.",
    ),
    "In a statement on Sunday, the company said it had recalled 5,000 heaters.": (
        "the company",
        "It had recalled 5,000 heaters.",
    ),
    "A report by the auditors found that £3m had gone missing.": (
        "a report by the auditors",
        "£3m had gone missing.",
    ),
    "Satellite images show that three hangars were destroyed.": (
        "Satellite images",
        "Three hangars were destroyed.",
    ),
    "The minister has repeatedly insisted that no shells were fired.": (
        "the minister",
        "No shells were fired.",
    ),
    "President Jan Holt has made clear that the sanctions took effect in March.": (
        "President Jan Holt",
        "The sanctions took effect in March.",
    ),
    # after
    "The dam burst on Monday, officials said.": ("officials", "The dam burst on Monday."),
    "The dam burst on Monday, the water board said in a statement.": (
        "the water board",
        "The dam burst on Monday.",
    ),
    "Fourteen people died in the blaze, said Ali Hassan, a doctor at the hospital.": (
        "Ali Hassan",
        "Fourteen people died in the blaze.",
    ),
    "Fourteen people died in the blaze, according to the fire service.": (
        "the fire service",
        "Fourteen people died in the blaze.",
    ),
    "According to two diplomats, the talks in Geneva collapsed on Friday.": (
        "two diplomats",
        "The talks in Geneva collapsed on Friday.",
    ),
    "The bridge, officials said, had been closed since 2019.": ("officials", "The bridge had been closed since 2019."),
    # quotes
    '"The bridge was mined last week," the mayor said.': ("the mayor", "The bridge was mined last week."),
    '"The bridge was mined last week," said Olga Petrova, the mayor of Lund.': (
        "Olga Petrova",
        "The bridge was mined last week.",
    ),
    "“The bridge was mined last week,” the mayor said in an interview.": (
        "the mayor",
        "The bridge was mined last week.",
    ),
    "'The bridge was mined last week,' the mayor wrote on Facebook.": (
        "the mayor",
        "The bridge was mined last week.",
    ),
    'The mayor said: "The bridge was mined last week."': ("the mayor", "The bridge was mined last week."),
    'The mayor was blunt: "The bridge was mined last week."': ("the mayor", "The bridge was mined last week."),
    'The mayor told reporters, "The bridge was mined last week."': ("the mayor", "The bridge was mined last week."),
    '"The bridge," said the mayor, "was mined last week."': ("the mayor", "The bridge was mined last week."),
    "A hospital billed the state for patients who did not exist, a leaked audit claims.": (
        "a leaked audit",
        "A hospital billed the state for patients who did not exist.",
    ),
    "The health minister, Hamad Noor, said 12 clinics were closed.": ("Hamad Noor", "12 clinics were closed."),
    "The mill burned down, said the miller, Jan Holt.": ("Jan Holt", "The mill burned down."),
    "State broadcaster KTV, citing an intelligence source, reported that saboteurs had blown up the tanks.": (
        "an intelligence source, cited by State broadcaster KTV",
        "Saboteurs had blown up the tanks.",
    ),
    "The union put the number of strikers at 4,000.": (
        "the union",
        "The union put the number of strikers at 4,000.",
    ),
    "Two officials who asked not to be named said the convoy was hit twice.": (
        "two officials",
        "The convoy was hit twice.",
    ),
    "Three officers contradicted the president and said that no plane was lost.": (
        "three officers",
        "No plane was lost.",
    ),
    "The Treasury, the Federal Reserve and the FDIC said all depositors had their money.": (
        "the Treasury, the Federal Reserve and the FDIC",
        "All depositors had their money.",
    ),
    "President Jan Holt said his generals had told him the base was empty.": (
        "President Jan Holt",
        "His generals had told him the base was empty.",
    ),
    "According to their group, Clean Rivers, sewage ran for 4,200 hours.": (
        "Clean Rivers",
        "Sewage ran for 4,200 hours.",
    ),
    "Malaria kills 260,000 children each year, the WHO estimates.": (
        "the WHO",
        "Malaria kills 260,000 children each year.",
    ),
    # nobody named, and passives
    "It was reported that the airport had closed on Sunday.": (
        None,
        "The airport had closed on Sunday.",
    ),
    "There are reports that 20 sailors drowned.": (None, "20 sailors drowned."),
    "The general is said to have fled to Oman on Sunday.": (
        None,
        "The general is said to have fled to Oman on Sunday.",
    ),
    "A source close to the family said the heir was in Monaco.": (
        "a source close to the family",
        "The heir was in Monaco.",
    ),
    "The general was quoted by state radio as saying that 30 rebels had surrendered.": (
        "the general",
        "30 rebels had surrendered.",
    ),
    # denials
    "The ministry denied that its planes had bombed the market.": (
        "the ministry",
        "It is not true that its planes had bombed the market.",
    ),
    "The ministry denied bombing the market in Aleppo.": (
        "the ministry",
        "The ministry denied bombing the market in Aleppo.",
    ),
    "Moscow rejected claims that its planes had bombed the market.": (
        "Moscow",
        "It is not true that its planes had bombed the market.",
    ),
    # without a sentence
    "The ministry confirmed the deaths of five soldiers.": (
        "the ministry",
        "The ministry confirmed the deaths of five soldiers.",
    ),
    "Kyiv blamed Moscow for the strike on the grain port.": (
        "Kyiv",
        "Kyiv blamed Moscow for the strike on the grain port.",
    ),
    # nobody says it
    "Videos posted on social media showed smoke above the coast.": (
        None,
        "Videos posted on social media showed smoke above the coast.",
    ),
    "His cabinet declared an emergency in the capital and gave the army control of it.": (
        None,
        "His cabinet declared an emergency in the capital and gave the army control of it.",
    ),
    "The dam burst on Monday and flooded 300 homes.": (None, "The dam burst on Monday and flooded 300 homes."),
    "The reported attack closed the port for two days.": (None, "The reported attack closed the port for two days."),
    "The state owns 51% of the airline.": (None, "The state owns 51% of the airline."),
    # a comma behind the quotation mark
    '"The dam was empty", said engineer Ann Hart.': ("engineer Ann Hart", "The dam was empty."),
    '"We never sold lead to Morland", insisted the minister, Ben Walsh.': (
        "Ben Walsh",
        "We never sold lead to Morland.",
    ),
    # verbs that only a plural before them shows to be verbs
    "The ministry said three million people lack clean water in the delta.": (
        "the ministry",
        "Three million people lack clean water in the delta.",
    ),
    '"Four hundred soldiers guard the border," Colonel Ari Weiss said.': (
        "Colonel Ari Weiss",
        "Four hundred soldiers guard the border.",
    ),
    # who is described between commas
    "Sam Lee, 43, who owns a shop near the plant, said four trucks had burned.": (
        "Sam Lee",
        "Four trucks had burned.",
    ),
    "The tweet, by actor Rob Lane, said 5,000 children had gone missing.": (
        "actor Rob Lane",
        "5,000 children had gone missing.",
    ),
    "A study published in Nature on Thursday found that 61% of lakes are warming.": (
        "a study published in Nature",
        "61% of lakes are warming.",
    ),
    "A survey of 2,000 adults carried out by Pollster found that 61% want an inquiry.": (
        "a survey of 2,000 adults carried out by Pollster",
        "61% want an inquiry.",
    ),
    "The bombs hit a school in Tarsk, a resident wrote on Facebook late that night.": (
        "a resident",
        "The bombs hit a school in Tarsk.",
    ),
    '"We will rebuild the school by 2024," promised mayor Tim Ray.': (
        "mayor Tim Ray",
        "We will rebuild the school by 2024.",
    ),
    "Rescuers fear that 50 people died.": ("Rescuers", "50 people died."),
    "The commander boasted his men had shot down two helicopters.": (
        "the commander",
        "His men had shot down two helicopters.",
    ),
    "The hospital confirmed it had admitted 14 people, two of them in critical condition.": (
        "the hospital",
        "It had admitted 14 people, two of them in critical condition.",
    ),
    "Ministers deny they knew of the leak.": ("Ministers", "It is not true that they knew of the leak."),
    "The firm denied that safety inspections had been skipped.": (
        "the firm",
        "It is not true that safety inspections had been skipped.",
    ),
    'The captain said the flights were "routine" and that Japan had been told.': (
        "the captain",
        'The flights were "routine" and Japan had been told.',
    ),
    # by whose reckoning, in whose view
    "By Ann Lee's count, 40 graves were opened.": ("Ann Lee", "40 graves were opened."),
    "The crack has grown to nine metres, in the view of Tom Reed, who drew the plans.": (
        "Tom Reed",
        "The crack has grown to nine metres.",
    ),
    # when, before the speaker and after
    "On Nov. 2 the news site Coinwatch revealed that the fund held 14 tonnes of lead.": (
        "the news site Coinwatch",
        "The fund held 14 tonnes of lead.",
    ),
    "In the three days to Tuesday customers asked for $6 million, Ola Berg has told her staff in a letter.": (
        "Ola Berg",
        "In the three days to Tuesday customers asked for $6 million.",
    ),
    # who is described at length
    "Posts shared thousands of times claim that the lake was poisoned.": (
        "Posts shared thousands of times",
        "The lake was poisoned.",
    ),
    "Two people who work there, and who were not asked to speak to reporters, said that a rock lay under the hull.": (
        "two people",
        "A rock lay under the hull.",
    ),
    # one who cites another, and nobody who says anything
    "Al-Dar, a daily close to the government, cites an official as saying that no such order was given.": (
        "an official, cited by Al-Dar",
        "No such order was given.",
    ),
    "Nothing so far suggests that the barn was lit on purpose, said the prosecutor, Rémy Blanc.": (
        "Rémy Blanc",
        "Nothing so far suggests that the barn was lit on purpose.",
    ),
    # courts, and sums that are promised
    "A jury on Monday found Joan Fisk guilty of four counts of fraud.": (
        "a jury",
        "A jury on Monday found Joan Fisk guilty of four counts of fraud.",
    ),
    "The Lund family has promised 200 million crowns for the repairs.": (
        "the Lund family",
        "The Lund family has promised 200 million crowns for the repairs.",
    ),
    # what is so, before what may be
    "Fisk insisted on Thursday that the branch was untouched and could pay everybody.": (
        "Fisk",
        "The branch was untouched and could pay everybody.",
    ),
    "The managers said that first inquiries point to strong wind over the canal.": (
        "the managers",
        "First inquiries point to strong wind over the canal.",
    ),
    "Holt disagreed: in his own view, he said, the dam had never been inspected.": (
        "Holt",
        "The dam had never been inspected.",
    ),
    # what somebody in particular did not do
    "Both declined to comment.": (None, "Both declined to comment."),
    # a list of figures
    "$16 billion to zero: the founder's fortune, before the week and after.": (
        None,
        "$16 billion to zero: the founder's fortune, before the week and after.",
    ),
}


@pytest.mark.parametrize("sentence", SHAPES, ids=lambda text: text[:50])
def test_a_sentence_has_one_claim_by_its_speaker(sentence):
    assert found_in(sentence) == [SHAPES[sentence]]


SEVERAL = {
    "two in a row": (
        "The army said five men died, adding that two were missing.",
        [("the army", "Five men died."), ("the army", "Two were missing.")],
    ),
    "main clause and participle": (
        "Police fired tear gas at the crowd, saying protesters had thrown bottles.",
        [(None, "Police fired tear gas at the crowd."), ("Police", "Protesters had thrown bottles.")],
    ),
    "the article's remark is no claim": (
        'State outlets claim that "80 soldiers" were killed, but there is no evidence to support this.',
        [("State outlets", '"80 soldiers" were killed.')],
    ),
    "the article adds a fact": (
        "Both governments say the blast hurt nobody, though residents filmed three burning cars.",
        [("both governments", "The blast hurt nobody."), (None, "Residents filmed three burning cars.")],
    ),
    "two speakers": (
        "The army said 12 rebels were killed, but the rebels said only two had died.",
        [("the army", "12 rebels were killed."), ("the rebels", "Only two had died.")],
    ),
    "a quote of two sentences": (
        '"The bridge was mined on Monday. Two men were arrested," Olga Petrova said.',
        [("Olga Petrova", "The bridge was mined on Monday."), ("Olga Petrova", "Two men were arrested.")],
    ),
    "a quote goes on": (
        '"The bridge was mined on Monday," Olga Petrova said. "Two men were arrested at the border."',
        [("Olga Petrova", "The bridge was mined on Monday."), ("Olga Petrova", "Two men were arrested at the border.")],
    ),
    "a quote before its speaker": (
        '"The bridge was mined on Monday." Olga Petrova said two men were arrested.',
        [("Olga Petrova", "The bridge was mined on Monday."), ("Olga Petrova", "Two men were arrested.")],
    ),
    "a quote over two paragraphs": (
        'Olga Petrova said: "The bridge was mined on Monday.\n"Two men were arrested at the border."',
        [("Olga Petrova", "The bridge was mined on Monday."), ("Olga Petrova", "Two men were arrested at the border.")],
    ),
    "he": (
        "Karim Nasser, a farmer, said the well dried up in June.\nHe added that 40 goats had died.",
        [("Karim Nasser", "The well dried up in June."), ("Karim Nasser", "40 goats had died.")],
    ),
    "they, it, and a surname": (
        "Two nurses said the ward had no power.\nThey said the pumps had failed.\n"
        "The defence ministry said a drone fell in Lviv.\nIt added that nobody was hurt.\n"
        "President Jan Holt said 300 homes were lost.\nHolt said the river rose nine metres.",
        [
            ("two nurses", "The ward had no power."),
            ("two nurses", "The pumps had failed."),
            ("the defence ministry", "A drone fell in Lviv."),
            ("the defence ministry", "Nobody was hurt."),
            ("President Jan Holt", "300 homes were lost."),
            ("Jan Holt", "The river rose nine metres."),
        ],
    ),
    "two who differ, and a dash for a comma": (
        "Critics say the bridge cost $2.5bn; the government puts the figure at $1.9bn.\n"
        "Four soldiers died in the blast – the army said – and ten were hurt.\n"
        'The spokesman said: "No soldiers died. Two were injured."',
        [
            ("Critics", "The bridge cost $2.5bn."),
            ("the government", "The government puts the figure at $1.9bn."),
            ("the army", "Four soldiers died in the blast, ten were hurt."),
            ("the spokesman", "No soldiers died."),
            ("the spokesman", "Two were injured."),
        ],
    ),
    "what the article adds behind a tag": (
        "The firm has handed over no more jets, the firm said on Thursday, a day after regulators grounded 40 of them.",
        [
            ("the firm", "The firm has handed over no more jets."),
            (None, "Regulators grounded 40 of them."),
        ],
    ),
}


@pytest.mark.parametrize("case", SEVERAL)
def test_several_claims_each_have_their_speaker(case):
    text, expected = SEVERAL[case]
    assert found_in(text) == expected


NOTHING = (
    "His thoughts were with the families, the minister said.",
    "The toll was likely to rise, the medic said.",
    "Moscow rejects all of it.",
    "The UN called for restraint.",
    "Some economists argue that customers will end up paying.",
    "It is hard to find words for what the morning showed.",
    "Everybody here knows somebody who takes the train.",
    '"You go home and think you were too slow," the skier said.',
    '"It felt like standing in a burning theatre," she added.',
    "Was the bridge mined before the attack?",
    "The ministry did not say how many people had died.",
    "We should all be ashamed of what happened there.",
    '"We will never forgive them," the general said.',
    '"It is a disgrace," the mayor said.',
    'The senator called the plan "a disgrace".',
    "The claim could not be independently verified.",
    '"I hope they come home," her mother said.',
    "It remains unclear who fired the missile.",
)


@pytest.mark.parametrize("sentence", NOTHING)
def test_views_wishes_threats_and_questions_are_no_claims(sentence):
    assert found_in(sentence) == []
